// What a socketmap server may send: the netstring, and the reply in it.
#include "libmaps/socketmap_protocol.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using State = libmaps::NetstringScan::State;
  constexpr std::size_t kLimit = 1000;
  const std::string_view text = as_text(data, size);
  const libmaps::NetstringScan scan = libmaps::scan_netstring(text, kLimit);
  if (scan.state == State::kIncomplete) require(size < kLimit + 24, "waiting for more has an end");
  if (scan.state == State::kComplete) {
    require(scan.payload.size() <= kLimit, "the limit holds");
    require(scan.length <= size, "what is read was there");
    require(libmaps::scan_netstring(text.substr(0, scan.length - 1), kLimit).state == State::kIncomplete,
            "a netstring is complete with its last byte");
    const std::string again = libmaps::netstring(scan.payload);
    require(libmaps::scan_netstring(again, kLimit).payload == scan.payload, "a payload is read back");
  }
  const std::string_view payload = scan.state == State::kComplete ? scan.payload : text;
  const libmaps::SocketmapReply reply = libmaps::parse_socketmap_reply(payload);
  require(payload.ends_with(reply.text), "a reply's text ends it");
  return 0;
}
