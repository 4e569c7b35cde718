/// The dialogue of the SMTP or LMTP client with one server (RFC 5321, RFC 2033, RFC 2920, RFC 3461; smtp(8)).
///
///     SmtpClientSession session(options, server, std::move(connection), tls, login, log, tag);
///     std::optional<DeliveryFault> fault = co_await session.greet("example.com", "4A1B2C3D4E");
///     if (!fault) co_await session.deliver(request, message, recipients, sink);
///     co_await session.quit();
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/delivery/client_logins.h"
#include "tools/mta/delivery/delivery_agent.h"
#include "tools/mta/delivery/outgoing_content.h"
#include "tools/mta/delivery/reply_filter.h"
#include "tools/mta/delivery/server_connection.h"
#include "tools/mta/delivery/server_features.h"
#include "tools/mta/delivery/server_lookup.h"
#include "tools/mta/delivery/server_reply.h"
#include "tools/mta/delivery/smtp_client_options.h"
#include "tools/mta/smtp/session_transcript.h"
#include "tools/mta/smtp/table_list.h"

namespace mta {

class CyrusClient;

/// Gets to know what becomes of recipients, each of them once. Numbers are those of
/// DeliveryRequest::recipients.
class RecipientSink {
 public:
  virtual ~RecipientSink() = default;
  virtual void accept(std::size_t recipient, const ServerReply& reply) = 0;
  virtual void refuse(std::size_t recipient, const DeliveryFault& fault) = 0;
  /// The same for all these, because of what is about none of them.
  virtual void refuse_all(std::span<const std::size_t> recipients, const DeliveryFault& fault) = 0;
};

/// How a session is protected.
struct SessionTls {
  ClientTls* engine = nullptr;  ///< Null: there is none.
  ClientTlsPolicy policy = {};
};

/// How a session logs in.
struct SessionLogin {
  ClientLogins* logins = nullptr;  ///< Null: never.
  std::optional<CyrusCredentials> credentials = {};
  bool is_unknown = false;  ///< The tables could not tell.
};

/// What a session looks up. Null: nothing.
struct SessionTables {
  ReplyFilter* reply_filter = nullptr;
  TableList* discarded_keywords = nullptr;  ///< smtp_discard_ehlo_keyword_address_maps
};

/// Not thread-safe. What it is given must outlive it.
class SmtpClientSession {
 public:
  SmtpClientSession(const SmtpClientOptions& options, MailServer server,
                    std::unique_ptr<ServerConnection> connection, SessionTls tls, SessionLogin login,
                    MailLog& log, LogTag tag, SessionTables tables = {},
                    SessionTranscript transcript = SessionTranscript({}))
      : options_(options),
        server_(std::move(server)),
        transcript_(std::move(transcript)),
        connection_(std::move(connection)),
        tls_(std::move(tls)),
        login_(std::move(login)),
        log_(log),
        tag_(tag),
        sink_(log, tag),
        lines_(tables.reply_filter, options.protocol, server_, transcript_, log, tag),
        keyword_table_(tables.discarded_keywords) {
    connection_->watch_lines(lines_);
  }

  /// Greeting, EHLO, HELO or LHLO, TLS and login. `domain` is what the mail is for, `queue_id` what the log
  /// calls it. A fault: the server takes no mail now.
  asio::awaitable<std::optional<DeliveryFault>> greet(std::string domain, std::string queue_id);

  const ServerFeatures& features() const { return features_; }
  /// The connection, or the handshake, failed after TLS was begun.
  bool has_broken_tls() const { return has_broken_tls_; }

  /// Asks whether mail of the request could be delivered to these recipients, and sends none.
  asio::awaitable<void> probe(const DeliveryRequest& request, std::vector<std::size_t> recipients,
                              RecipientSink& sink);

  /// Delivers. `message` is the queue file.
  asio::awaitable<void> deliver(const DeliveryRequest& request, int message,
                                std::vector<std::size_t> recipients, RecipientSink& sink);

  /// Has content changed before it is sent.
  void edit_content(const ContentEdits& edits) { edits_ = edits; }

  /// Whether the session is to go on after the next message. Where not, QUIT goes along with the message.
  void keep(bool is_kept) { is_kept_ = is_kept; }
  bool is_kept() const { return is_kept_; }
  /// Another message can be sent.
  bool is_reusable() const { return is_usable_ && !has_quit_; }
  /// The server was gone when the session was taken up again: nothing was said of any recipient.
  bool is_stale() const { return is_stale_; }
  /// Messages so far.
  int uses() const { return uses_; }
  std::chrono::steady_clock::time_point start() const { return start_; }
  bool has_tls() const { return is_protected_; }

  const MailServer& server() const { return server_; }
  /// What is said, but for content; to be forgotten when the session is taken up again.
  SessionTranscript& transcript() { return transcript_; }

  /// Ends the session, politely where that is still possible.
  asio::awaitable<void> quit();

 private:
  enum class Command : std::uint8_t {
    kWake,  ///< RSET, in a session that has waited.
    kXforwardClient,
    kXforwardSession,
    kMail,
    kRcpt,
    kData,
    kEnd,  ///< Of the message: a dot.
    kRset,
    kQuit,
  };
  struct Step {
    Command command = Command::kMail;
    std::size_t recipient = 0;
  };
  class Progress;

  asio::awaitable<std::optional<DeliveryFault>> welcome(std::string domain);
  asio::awaitable<std::optional<DeliveryFault>> start_tls(std::string domain);
  asio::awaitable<std::optional<DeliveryFault>> shake_hands();
  asio::awaitable<std::optional<DeliveryFault>> log_in();
  asio::awaitable<std::optional<DeliveryFault>> exchange(CyrusClient& client, std::string mechanisms);
  DeliveryFault login_fault(std::string_view reason) const;
  asio::awaitable<std::optional<DeliveryFault>> say_hello(bool is_extended, std::string domain);
  libconf::Result<DiscardedKeywords> discarded_keywords();
  std::optional<DeliveryFault> unsuitable(const DeliveryRequest& request,
                                          const std::vector<std::size_t>& recipients);
  std::vector<Step> steps(const DeliveryRequest& request, const std::vector<std::size_t>& recipients) const;
  void append_command(std::string& out, const Step& step, const DeliveryRequest& request) const;
  std::chrono::seconds time_limit(Command command) const;
  asio::awaitable<void> converse(const DeliveryRequest& request, const std::vector<Step>& steps,
                                 Progress& progress);
  asio::awaitable<void> send_message(const DeliveryRequest& request, int message, Progress& progress);
  asio::awaitable<void> end_message(std::string text, Progress& progress);
  asio::awaitable<void> reset();

  /// Sends whole commands.
  asio::awaitable<StreamResult<void>> say(std::string_view commands, std::chrono::seconds limit);
  bool is_own_name(std::string_view name) const;
  DeliveryFault refusal(const ServerReply& reply);
  std::string said(std::string_view who, Command command, const ServerReply& reply) const;
  DeliveryFault refusal_of(Command command, const ServerReply& reply);
  bool converts(const DeliveryRequest& request) const;
  DeliveryFault unsent(const libconf::Error& error) const;
  DeliveryFault loss(StreamEnd end, std::string_view while_what);

  const SmtpClientOptions& options_;
  MailServer server_;
  SessionTranscript transcript_;
  std::unique_ptr<ServerConnection> connection_;
  SessionTls tls_;
  SessionLogin login_;
  MailLog& log_;
  LogTag tag_;
  LogSink sink_;  ///< The same, for what TLS reports.
  SessionLines lines_;
  TableList* keyword_table_;
  ServerFeatures features_;
  bool is_usable_ = true;  ///< A command may be sent.
  bool is_greeted_ = false;
  ContentEdits edits_;
  bool is_kept_ = false;
  bool is_stale_ = false;
  int uses_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  bool is_protected_ = false;    ///< TLS was begun.
  bool has_broken_tls_ = false;  ///< And the connection was lost then.
  bool is_logged_in_ = false;
  bool has_quit_ = false;  ///< QUIT was.
};

}  // namespace mta
