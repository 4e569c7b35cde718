/// A connection to a Redis server: requests go out together, replies come back one by one. hiredis writes and
/// reads the protocol; the socket is ours, so that every wait has a limit and nothing raises SIGPIPE.
///
///     auto session = RedisSession::open(host, login, 10s, sink);
///     session->send({{"GET", "joe"}, {"GET", "ann"}});
///     Result<RedisReply> first = session->read();
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "libconf/diagnostic.h"
#include "libmaps/database_hosts.h"
#include "libmaps/stream_connection.h"
#include "libmaps/table.h"

struct redisReader;

namespace libmaps {

/// Words of any bytes: each is an argument of its own to the server, whatever is in it.
using RedisCommand = std::vector<std::string>;

struct RedisReply {
  enum class Kind : std::uint8_t { kString, kNil, kInteger, kStatus, kError };
  Kind kind = Kind::kNil;
  std::string text = {};  ///< Of a string, a status, an error ("WRONGTYPE Operation against ...").
  long long integer = 0;
};

/// How a session begins.
struct RedisLogin {
  std::string user;      ///< Empty: the server's default user.
  std::string password;  ///< Never in a message.
  std::int64_t database = 0;
};

/// Not thread-safe. Errors are reasons, for messages that name the server.
class RedisSession {
 public:
  /// Connects, and logs in. `limit` is for connecting, and then for each send() with the replies to it.
  static Result<std::unique_ptr<RedisSession>> open(const DatabaseHost& host, const RedisLogin& login,
                                                    std::chrono::seconds limit,
                                                    libconf::DiagnosticSink& warnings);
  ~RedisSession();
  RedisSession(const RedisSession&) = delete;
  RedisSession& operator=(const RedisSession&) = delete;

  /// Sends commands, after which there is a reply to read() for each. Replies that nobody read are passed
  /// over. After an error, here and below, every further call gives the same.
  Result<void> send(const std::vector<RedisCommand>& commands);
  Result<RedisReply> read();

 private:
  RedisSession(StreamConnection connection, std::chrono::seconds limit);

  Result<void> log_in(const RedisLogin& login);
  Result<RedisReply> read_next();
  Error fail(std::string reason);

  StreamConnection connection_;
  std::chrono::seconds limit_;
  StreamConnection::Deadline deadline_;
  std::unique_ptr<redisReader, void (*)(redisReader*)> reader_;
  std::size_t awaited_ = 0;  ///< Replies that are to come.
  std::string failure_;      ///< Why the session is of no more use; empty: it is.
};

}  // namespace libmaps
