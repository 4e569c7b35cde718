/// A connection to a server of lookups, over TCP or a UNIX-domain socket: blocking, with time limits.
///
///     Result<Endpoint> endpoint = parse_tcp_endpoint("db.example.com:2222");
///     auto connection = StreamConnection::connect(*endpoint, 100s, sink);
///     const auto deadline = StreamConnection::Clock::now() + 100s;
///     connection->write("get key\n", deadline);
///     while (buffer.find('\n') == npos) connection->read_some(buffer, 4096, deadline);
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "libconf/diagnostic.h"
#include "libconf/handle.h"
#include "libconf/result.h"
#include "libconf/settings.h"

namespace libmaps {

/// Where a server listens.
struct Endpoint {
  bool is_local = false;  ///< A UNIX-domain socket, at the path `host`.
  std::string host;       ///< A name or an address, without brackets; empty: this host.
  std::string service;    ///< A port number or a name from services(5).
  std::string text;       ///< As messages give it: "127.0.0.1:2222", "/run/map".
  std::string root = {};  ///< Where the path starts, as libconf::RootedPath::root.
};

/// "HOST:PORT", "[ADDRESS]:PORT", or "PORT" alone. Errors: kConfiguration, in Postfix's words.
libconf::Result<Endpoint> parse_tcp_endpoint(std::string_view text);

/// "inet:HOST:PORT" or "unix:PATH"; a path starts where the service that `settings` are of sees it. Errors:
/// kConfiguration, in Postfix's words; as ServiceRoot::of().
libconf::Result<Endpoint> parse_endpoint(std::string_view text, const libconf::Settings& settings);

/// Movable, not copyable, not thread-safe. After an error it is of no further use.
class StreamConnection {
 public:
  using Clock = std::chrono::steady_clock;
  using Deadline = Clock::time_point;

  /// Tries every address that the endpoint has, each for up to `limit`. The sink gets the reason why a host
  /// or a service was not found. Errors, here and below: kTemporary, the reason alone, as lookup_error()
  /// makes it.
  static libconf::Result<StreamConnection> connect(const Endpoint& endpoint, std::chrono::seconds limit,
                                                   libconf::DiagnosticSink& warnings);

  /// Writes all of `bytes`.
  libconf::Result<void> write(std::string_view bytes, Deadline deadline);

  /// Waits for bytes, and appends those that are there, up to `most`, to `buffer`. Returns how many; 0 at the
  /// end of the stream. REQUIRES: most > 0.
  libconf::Result<std::size_t> read_some(std::string& buffer, std::size_t most, Deadline deadline);

 private:
  explicit StreamConnection(libconf::FileDescriptor fd) : fd_(std::move(fd)) {}

  libconf::FileDescriptor fd_;
};

}  // namespace libmaps
