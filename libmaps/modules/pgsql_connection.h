/// A connection to a PostgreSQL server: libpq, with a limit for every wait.
///
///     auto connection = PgsqlConnection::connect(host, login, 60s, warn);
///     PgsqlReply reply = (*connection)->ask("SELECT 1");
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"
#include "libmaps/pgsql_hosts.h"

namespace libmaps {

/// What every connection of a table has in common. libpq takes an empty text for its own default.
struct PgsqlLogin {
  std::string user;
  std::string password;
  std::string database;  ///< Its name, or a URI or a connection string.
  std::string encoding;  ///< Of queries and results.
};

struct ClearPgResult {
  void operator()(PGresult* result) const { ::PQclear(result); }
};
using PgResult = std::unique_ptr<PGresult, ClearPgResult>;

/// What came of one query.
struct PgsqlReply {
  enum class Kind {
    kDone,      ///< The last statement was carried out; `rows` has what it found, if it finds anything.
    kRefused,   ///< The server reports an error, and goes on.
    kLost,      ///< The connection is no more.
    kUnusable,  ///< Nor is it here, and a new one would not do better: no answer in time, a COPY.
  };
  Kind kind = Kind::kDone;
  PgResult rows = nullptr;
  std::string message = {};  ///< What went wrong: "fatal error from host db1: ERROR: ...".
};

/// Not thread-safe.
class PgsqlConnection {
 public:
  using Warn = std::function<void(std::string_view message)>;
  using Texts = std::vector<std::string>;

  /// Connecting, and each reply, may take `timeout`. Warnings of the server go to `warn`, now and later.
  /// Errors: kTemporary, with libpq's message, without what is secret in it.
  static libconf::Result<std::unique_ptr<PgsqlConnection>> connect(const PgsqlHost& host,
                                                                   const PgsqlLogin& login,
                                                                   std::chrono::seconds timeout, Warn warn);

  PgsqlConnection(const PgsqlConnection&) = delete;
  PgsqlConnection& operator=(const PgsqlConnection&) = delete;

  /// Appends `text` to `out` as it may stand between single quotes, by the rules of this connection: its
  /// encoding, and whether backslashes escape. `in_escape_string`: in an E'' string. Errors: kSyntax, when
  /// the text is not of the encoding.
  libconf::Result<void> quote(std::string_view text, bool in_escape_string, std::string& out);

  /// Carries out a query, of any number of statements. Once a reply is kLost or kUnusable, so are all further
  /// ones, at once.
  PgsqlReply ask(const std::string& query);

  /// Carries out one statement for several sets of parameters, without waiting in between, in a transaction
  /// that can change nothing. Returns what was kDone, up to the first that was not; what is wrong with that
  /// one ask() tells. REQUIRES: no null byte in a parameter.
  std::vector<PgsqlReply> ask_together(const std::string& statement, std::span<const Texts> parameters);

  /// Whether it has ever answered.
  bool has_answered() const { return has_answered_; }
  const PgsqlHost& host() const { return host_; }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Wait { kReady, kFailed, kTimedOut };

  PgsqlConnection(PgsqlHost host, std::chrono::seconds timeout, Warn warn);

  bool is_usable() const { return end_ == PgsqlReply::Kind::kDone; }
  bool send_together(const std::string& statement, std::span<const Texts> parameters);
  PgResult next_result();
  Wait await_connection();
  Wait await_result();
  Wait wait_for_socket(short events, Clock::time_point deadline);
  PgsqlReply reply_of(PgResult last);
  void end(PgsqlReply::Kind kind, std::string message);
  std::string fatal_error(std::string_view reason) const;
  std::string unknown_code(ExecStatusType status) const;

  struct Finish {
    void operator()(PGconn* connection) const { ::PQfinish(connection); }
  };

  PgsqlHost host_;
  std::chrono::seconds timeout_;
  Warn warn_;
  std::unique_ptr<PGconn, Finish> connection_;
  bool has_answered_ = false;
  PgsqlReply::Kind end_ = PgsqlReply::Kind::kDone;  ///< kLost or kUnusable, once it is.
  std::string end_message_;
};

}  // namespace libmaps
