// What a client of the proxymap service may send: any bytes, in any pieces, have the same replies, and no
// table that is not approved is opened.
#include <algorithm>
#include <string>

#include "libmaps/proxy_server.h"
#include "tests/fuzz/property.h"

namespace {

using libmaps::ProxyAccess;
using libmaps::ProxyService;
using libmaps::ProxySession;

/// The replies to `text` that comes in pieces of `length` bytes.
std::string replies(ProxyService& service, std::string_view text, std::size_t length) {
  ProxySession session;
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min(length, text.size()))) {
    const ProxySession::Output output = session.receive(service, text.substr(0, length));
    out += output.bytes;
    if (output.closes) break;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static libconf::Settings settings(nullptr, host_without_interfaces());
  settings.override_value("proxy_read_maps", "proxy:inline:{joe=one, ann=two} proxy:static:x proxy:fail:x");
  settings.override_value("proxy_write_maps", "proxy:internal:x proxy:static:x");
  libconf::DiagnosticDiscard warnings;
  const std::string_view text = as_text(data, size);
  for (const ProxyAccess access : {ProxyAccess::kRead, ProxyAccess::kReadWrite}) {
    const auto service = ProxyService::make(access, {.settings = settings, .warnings = warnings});
    const std::string whole = replies(**service, text, size + 1);
    for (const std::size_t length : {std::size_t{1}, std::size_t{7}})
      require(replies(**service, text, length) == whole, "replies do not depend on the pieces");
    for (std::string_view rest = whole; !rest.empty();) {
      const libmaps::AttributeScan scan = libmaps::scan_attributes(rest);
      require(scan.state == libmaps::AttributeScan::State::kComplete, "replies are complete");
      require(scan.attributes.front().name == "status", "a reply starts with its status");
      rest.remove_prefix(scan.length);
    }
  }
  const auto request = libmaps::parse_request(libmaps::scan_attributes(text).attributes);
  if (request) {
    const std::string again = encode(*request);
    const auto read = libmaps::parse_request(libmaps::scan_attributes(again).attributes);
    require(read && encode(*read) == again, "a request is read back");
  }
  return 0;
}
