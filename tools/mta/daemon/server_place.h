/// Where a server listens that Postfix is a client of: milters, before-queue filters.
///
///     std::optional<ServerPlace> place = parse_server_place("inet:localhost:8891", service_root);
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libconf/service_root.h"

namespace mta {

struct ServerPlace {
  libconf::RootedPath path;  ///< Of a UNIX-domain socket; empty: TCP.
  std::string host;          ///< Empty: localhost.
  std::string port;          ///< A number or a name.
};

/// Reads "inet:host:port" or "unix:path" (also "local:path"), or without a type "host:port", where the host
/// may be "[address]", and missing altogether. A path is one of a service with that root. Nothing: it
/// is none of these, or a longer path than the system has. Pure; thread-safe.
std::optional<ServerPlace> parse_server_place(std::string_view text, const libconf::ServiceRoot& root);

}  // namespace mta
