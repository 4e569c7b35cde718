/// AUTH in an SMTP server (RFC 4954; SASL_README; postconf(5), smtpd_sasl_*).
///
///     Result<std::unique_ptr<SaslServer>> server = SaslServer::create(settings, executor, open_table, log);
///     Result<std::vector<std::string>> offered = co_await (*server)->mechanisms(peer);  // 250-AUTH ...
///     SaslExchange exchange = (*server)->exchange(peer);                                // AUTH PLAIN ...
///     SaslReply reply = co_await exchange.start("PLAIN", "AGpvZQBzZWNyZXQ=");
///     while (reply.state == SaslReply::State::kChallenge) reply = co_await exchange.step(read_line());
///
/// The session decides when AUTH is allowed, reads lines of at most response_limit() bytes, and writes its
/// log and the Received: header.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/result.h"
#include "libconf/settings.h"
#include "libmaps/match_list.h"
#include "tools/mta/sasl/sasl_backend.h"

namespace mta {

/// What the client is told.
struct SaslReply {
  enum class State {
    kChallenge,  ///< Another line of the client is wanted.
    kSuccess,    ///< The client is `username`.
    kFailed,     ///< An error of the client.
    kTemporary,  ///< It could not be told who the client is.
    kAborted,    ///< The client gave up.
    kTooLong,    ///< The line was.
  };
  State state = State::kFailed;
  std::string text;           ///< One line without its end: "334 ...", "235 2.7.0 ...".
  std::string username = {};  ///< Of a failure: who the client claimed to be, or nothing.
  std::string reason = {};    ///< Why it failed, printable, for the log.
};

class SaslServer;

/// One AUTH command. Not thread-safe. The server must outlive it, and so must whoever waits for a reply.
class SaslExchange {
 public:
  /// `initial_response` as the client sent it: base64, or "=" for an empty one; nothing: there was none.
  /// REQUIRES: called first, and once.
  asio::awaitable<SaslReply> start(std::string_view mechanism,
                                   std::optional<std::string_view> initial_response);

  /// A line of the client, without its end: base64, or "*", which cancels. REQUIRES: the last reply was
  /// kChallenge.
  asio::awaitable<SaslReply> step(std::string_view line);

 private:
  friend class SaslServer;
  SaslExchange(SaslServer& server, const SaslPeer& peer);

  SaslServer& server_;
  std::unique_ptr<SaslConversation> conversation_;
};

/// Of one service of master.cf. Not thread-safe: one for each thread that serves sessions, used on the
/// executor that it was made with.
class SaslServer {
 public:
  /// Nothing is connected yet. `log` gets what the implementations say, and must outlive the server. Errors:
  /// kConfiguration, for values that mean nothing; those of the tables in smtpd_sasl_mechanism_filter.
  static libconf::Result<std::unique_ptr<SaslServer>> create(const libconf::Settings& settings,
                                                             asio::any_io_executor executor,
                                                             const libmaps::MatchList::OpenTable& open_table,
                                                             libconf::DiagnosticSink& log);

  /// With another implementation.
  static libconf::Result<std::unique_ptr<SaslServer>> create(const libconf::Settings& settings,
                                                             std::unique_ptr<SaslBackend> backend,
                                                             const libmaps::MatchList::OpenTable& open_table);

  /// What to offer to a client after EHLO, at least one. Errors: kTemporary, when it could not be told, "no
  /// SASL authentication mechanisms"; kConfiguration, when smtpd_sasl_mechanism_filter leaves none; those of
  /// its tables.
  asio::awaitable<libconf::Result<std::vector<std::string>>> mechanisms(const SaslPeer& peer);

  SaslExchange exchange(const SaslPeer& peer) { return {*this, peer}; }

  /// smtpd_sasl_response_limit: a response must be shorter.
  std::size_t response_limit() const { return response_limit_; }

 private:
  friend class SaslExchange;
  SaslServer(std::unique_ptr<SaslBackend> backend, std::optional<libmaps::MatchList> filter,
             std::size_t response_limit)
      : backend_(std::move(backend)), filter_(std::move(filter)), response_limit_(response_limit) {}
  libconf::Result<bool> passes_filter(const std::string& mechanism);

  std::unique_ptr<SaslBackend> backend_;
  std::optional<libmaps::MatchList> filter_;  ///< Nothing: all pass.
  std::size_t response_limit_;
};

/// A long line's reply, for a session that has not read it whole.
SaslReply sasl_response_too_long();

}  // namespace mta
