#include "tools/mta/daemon/server_place.h"

#include <sys/un.h>

namespace mta {

std::optional<ServerPlace> parse_server_place(std::string_view text, const libconf::ServiceRoot& root) {
  for (const std::string_view type : {"unix:", "local:"}) {
    if (!text.starts_with(type)) continue;
    text.remove_prefix(type.size());
    if (text.empty()) return std::nullopt;
    ServerPlace place{.path = root.at(text), .host = {}, .port = {}};
    if (place.path.path.size() >= sizeof(sockaddr_un::sun_path)) return std::nullopt;
    return place;
  }
  constexpr std::string_view kInet = "inet:";
  if (text.starts_with(kInet)) text.remove_prefix(kInet.size());
  const std::size_t colon = text.rfind(':');
  std::string_view host = colon == std::string_view::npos ? std::string_view() : text.substr(0, colon);
  const std::string_view port = colon == std::string_view::npos ? text : text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (port.empty() || port.find_first_of("[]") != std::string_view::npos) return std::nullopt;
  return ServerPlace{.path = {}, .host = std::string(host), .port = std::string(port)};
}

}  // namespace mta
