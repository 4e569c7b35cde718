/// Where a service of master.cf listens (master(5), "Service name"; postconf(5), inet_interfaces and
/// inet_protocols).
///
///     Result<std::vector<Endpoint>> endpoints = inet_endpoints("127.0.0.1:10025", settings);
///     Result<libconf::FileDescriptor> socket = listen_at(endpoints->front());
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>
#include <vector>

#include "libconf/handle.h"
#include "libconf/result.h"
#include "libconf/settings.h"

namespace mta {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

/// The address of a socket. Two are the same place when they are equal.
struct Endpoint {
  std::string address;  ///< "127.0.0.1" or "2001:db8::1"; "0.0.0.0" and "::" are all of a family.
  std::string port;     ///< A number.
  int family = AF_INET;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// The endpoints of an `inet` service called `name`: "port", "host:port", "[address]:port". Without a host
/// they are those of inet_interfaces. Errors: kConfiguration, for names that mean nothing, an empty
/// inet_interfaces, and an inet_protocols that leaves none; kTemporary, where a name could not be looked up.
Result<std::vector<Endpoint>> inet_endpoints(std::string_view name, const libconf::Settings& settings);

/// A socket that listens there; IPv6 only, if it is of that family. Not inherited by programs. Errors:
/// kInputOutput, "bind ADDRESS port PORT: REASON".
Result<libconf::FileDescriptor> listen_at(const Endpoint& endpoint);

}  // namespace mta
