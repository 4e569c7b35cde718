// What a policy server may send.
#include "tests/fuzz/property.h"
#include "tools/mta/access/policy_protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(data, size);
  const std::size_t length = mta::policy_reply_length(text);
  require(length <= size, "a reply is not longer than what was sent");
  if (length == 0) return 0;
  require(text[length - 1] == '\n', "a reply ends with an empty line");
  const auto action = mta::parse_policy_reply(text.substr(0, length));
  require(!action || action->find('\n') == std::string::npos, "an action is one line");
  return 0;
}
