// What a proxymap service may send: messages, and the replies in them.
#include "libmaps/proxy_protocol.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using Kind = libmaps::ProxyRequestKind;
  using State = libmaps::AttributeScan::State;
  constexpr std::size_t kLimit = 1000;
  const std::string_view text = as_text(data, size);
  const libmaps::AttributeScan scan = libmaps::scan_attributes(text, kLimit);
  if (scan.state == State::kIncomplete) require(size < kLimit, "waiting for more has an end");
  if (scan.state != State::kComplete) return 0;
  require(scan.length <= size && scan.length <= kLimit, "what is read was there, and is within the limit");
  require(libmaps::scan_attributes(text.substr(0, scan.length - 1), kLimit).state == State::kIncomplete,
          "a message is complete with its last byte");
  for (const Kind kind : {Kind::kOpen, Kind::kLookup, Kind::kUpdate, Kind::kDelete, Kind::kSequence}) {
    const auto reply = libmaps::parse_reply(scan.attributes, kind);
    if (!reply) continue;
    const std::string again = encode(*reply, kind);
    const auto read = libmaps::parse_reply(libmaps::scan_attributes(again).attributes, kind);
    require(read && encode(*read, kind) == again, "a reply is read back");
  }
  return 0;
}
