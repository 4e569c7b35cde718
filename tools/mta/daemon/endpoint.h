/// Where a service of master.cf listens (master(5), "Service name" and "Service type"; postconf(5),
/// inet_interfaces and inet_protocols).
///
///     Result<std::vector<Endpoint>> endpoints = inet_endpoints("127.0.0.1:10025", settings);
///     Result<libconf::FileDescriptor> socket = listen_at(endpoints->front(), owner);
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/handle.h"
#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/daemon/identity.h"

namespace mta {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

/// The type of a service, the second field of its entry.
enum class Transport {
  kInet,          ///< TCP
  kUnix,          ///< A UNIX-domain stream socket.
  kUnixDatagram,  ///< `unix-dgram`
  kFifo,          ///< A named pipe.
  kPass,          ///< A UNIX-domain stream socket; clients pass a connection that is open already.
};

/// Nothing, for what is no type.
std::optional<Transport> find_transport(std::string_view type);

/// The address of a socket. Two are the same place when they are equal.
struct Endpoint {
  Transport transport = Transport::kInet;
  /// "127.0.0.1" or "2001:db8::1"; "0.0.0.0" and "::" are all of a family. Of a local service: the path below
  /// queue_directory.
  std::string address;
  std::string port;      ///< A number; of a local service: empty.
  int family = AF_INET;  ///< AF_INET or AF_INET6; AF_UNIX for all that is local.
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// The endpoints of an `inet` service called `name`: "port", "host:port", "[address]:port". Without a host
/// they are those of inet_interfaces. Errors: kConfiguration, for names that mean nothing, an empty
/// inet_interfaces, and an inet_protocols that leaves none; kTemporary, where a name could not be looked up.
Result<std::vector<Endpoint>> inet_endpoints(std::string_view name, const libconf::Settings& settings);

/// The endpoint of a service of another type: in private/ or public/.
Endpoint local_endpoint(std::string_view name, Transport transport, bool is_private);

/// A socket that listens there, or the reading end of a named pipe; IPv6 only, if it is of that family. Not
/// inherited by programs. What stands at a local path is replaced; anybody may write to it who may enter its
/// directory, and it is of `owner` where one is given. REQUIRES, for local ones: queue_directory is the
/// working directory. Errors: kInputOutput, "bind ADDRESS port PORT: REASON".
Result<libconf::FileDescriptor> listen_at(const Endpoint& endpoint, const std::optional<Identity>& owner);

}  // namespace mta
