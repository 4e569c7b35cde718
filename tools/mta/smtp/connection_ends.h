/// Who is at the two ends of a connection.
///
///     const std::optional<ConnectionEnds> ends = ends_of(stream.socket());
///     if (!ends) co_return;  // It is gone already.
#pragma once

#include <optional>
#include <string>

#include "tools/mta/smtp/stream.h"

namespace mta {

/// Addresses as numbers.
struct ConnectionEnds {
  std::string client_address;
  std::string client_port;
  std::string server_address;
  std::string server_port;
  /// A UNIX-domain socket: Postfix's smtpd calls its client localhost[127.0.0.1], with port 0 at both ends,
  /// and does not look its name up.
  bool is_local = false;
};

/// Also makes what is sent over TCP leave at once. Nothing: the client has gone.
std::optional<ConnectionEnds> ends_of(StreamSocket& socket);

}  // namespace mta
