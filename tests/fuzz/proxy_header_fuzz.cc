// The PROXY protocol: a header is the same however it is divided, and it is bounded. The first byte of the
// input is the size of a portion.
#include <algorithm>
#include <string>

#include "tests/fuzz/property.h"
#include "tools/mta/smtp/proxy_header.h"

namespace {

using State = mta::ProxyHeaderReader::State;

std::string outcome(std::string_view input, std::size_t portion_size) {
  mta::ProxyHeaderReader reader({});
  const std::string_view whole = input;
  const std::size_t all = input.size();
  while (!input.empty()) {
    std::string_view portion = input.substr(0, portion_size);
    const std::size_t size = portion.size();
    const State state = reader.read(portion);
    input.remove_prefix(size - portion.size());
    require(all - input.size() <= mta::kMaxProxyHeader, "a header is bounded");
    if (state == State::kMalformed) return std::string(reader.error());
    if (state == State::kIncomplete) continue;
    std::string text = std::to_string(input.size());
    if (const auto& endpoints = reader.endpoints()) {
      text += " " + libmaps::to_string(endpoints->client) + " " + std::to_string(endpoints->client_port) +
              " " + libmaps::to_string(endpoints->server) + " " + std::to_string(endpoints->server_port);
    }
    return text;
  }
  require(reader.end() == State::kMalformed && !reader.error().empty(),
          "an end that comes early is an error");
  require(reader.header() == whole.substr(0, reader.header().size()), "the header is what came");
  return "incomplete";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input = as_text(data + 1, size - 1);
  require(outcome(input, std::max<std::size_t>(data[0], 1)) == outcome(input, input.size()),
          "portions do not matter");
  return 0;
}
