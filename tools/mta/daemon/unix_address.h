/// The address of a UNIX-domain socket that a path of the configuration means.
///
///     const auto address = unix_address(path);
///     if (!address) ...;   // asio::error::name_too_long
///     co_await socket.async_connect(*address, asio::use_awaitable);
#pragma once

#include <sys/un.h>

#include <asio/local/stream_protocol.hpp>
#include <optional>
#include <string>

#include "libconf/service_root.h"

namespace mta {

/// As RootedPath::on_host() finds it now. Nothing: the system has no such long names.
inline std::optional<asio::local::stream_protocol::endpoint> unix_address(const libconf::RootedPath& path) {
  const std::string found = path.on_host();
  if (found.size() >= sizeof(sockaddr_un::sun_path)) return std::nullopt;
  return asio::local::stream_protocol::endpoint(found);
}

}  // namespace mta
