// Answers of the DNS: whatever the bytes are, what is read of them is within them.
#include "tests/fuzz/property.h"
#include "tools/mta/dns/dns_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const int type : {1, 5, 52}) {
    const auto message = mta::read_dns_message({data, size}, type);
    if (!message) continue;
    std::size_t total = 0;
    for (const std::string& each : message->data) total += each.size();
    require(total <= size, "data is of the message");
    require(message->response_code >= 0 && message->response_code < 16, "a code has four bits");
  }
  return 0;
}
