/// The server's side of an SMTP session, from the greeting to the end (smtpd(8)).
///
///     SmtpSession session(std::move(socket), *service);
///     co_await session.run();
///
/// Reads as one conversation; other sessions go on wherever it waits.
#pragma once

#include <asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/access/engine.h"
#include "tools/mta/access/smtpd_state.h"
#include "tools/mta/access/verdict.h"
#include "tools/mta/address/virtual_alias.h"
#include "tools/mta/smtp/error_limits.h"
#include "tools/mta/smtp/line_reader.h"
#include "tools/mta/smtp/message_intake.h"
#include "tools/mta/smtp/reply.h"
#include "tools/mta/smtp/request.h"
#include "tools/mta/smtp/session_statistics.h"
#include "tools/mta/smtp/smtp_service.h"
#include "tools/mta/smtp/stream.h"

namespace mta {

/// Not thread-safe. The service must outlive it.
class SmtpSession {
 public:
  SmtpSession(StreamSocket socket, SmtpService& service);

  /// Serves the client until one of the two ends it, and logs. Never throws.
  asio::awaitable<void> run();

  /// The server is about to end: a client that waits between messages is told so now, one within a message
  /// after it.
  void stop();

 private:
  /// What is known of the message between MAIL and the end of its content.
  struct Transaction {
    MailRequest mail;
    std::vector<EnvelopeRecipient> recipients;
    std::unique_ptr<MessageDestination> intake;  ///< From the first recipient on.
    std::string queue_id;
    MessageActions actions;
    std::unique_ptr<ChunkReader> chunks;  ///< From the first BDAT on.
    bool has_begun = false;               ///< The envelope has been written.
  };

  struct ReceivedLine {
    std::string text;
    bool has_bare_newline = false;
  };

  asio::awaitable<StreamResult<void>> converse();
  asio::awaitable<StreamResult<void>> greet();
  /// What this client may do: XCLIENT and XFORWARD.
  void update_rights();
  asio::awaitable<StreamResult<void>> command(std::string_view text, bool has_bare_newline);
  asio::awaitable<StreamResult<void>> carry_out(const Command& command, Request request);

  asio::awaitable<Reply> handle(const HeloRequest& request);
  asio::awaitable<Reply> handle(const MailRequest& request);
  asio::awaitable<Reply> handle(const RcptRequest& request);
  asio::awaitable<Reply> handle(const VrfyRequest& request);
  asio::awaitable<Reply> handle(const EtrnRequest& request);
  asio::awaitable<Reply> handle(const XclientRequest& request);

  /// Begins TLS with the connection (smtpd_tls_wrappermode).
  asio::awaitable<StreamResult<void>> wrap();
  asio::awaitable<StreamResult<void>> start_tls();
  /// Makes the handshake, after which all that a client has said is forgotten.
  asio::awaitable<StreamResult<void>> shake_hands();
  void forget_client();
  /// smtpd_tls_req_ccert
  asio::awaitable<StreamResult<void>> require_certificate();
  /// Whether STARTTLS and AUTH may be used from here on.
  void update_offers();

  asio::awaitable<StreamResult<Reply>> authenticate(const AuthRequest& request);
  /// The mechanisms for EHLO; empty: AUTH is not for this client. Errors have been logged.
  asio::awaitable<libconf::Result<std::string>> offered_mechanisms();
  SaslPeer sasl_peer() const;
  /// ", sasl_method=PLAIN, sasl_username=joe", for the log; empty: there is nothing to say.
  std::string sasl_text() const;
  void log_failed_login(std::string_view mechanism, const SaslReply& answer);
  asio::awaitable<void> delay_failed_login();

  asio::awaitable<StreamResult<Reply>> receive_data();
  asio::awaitable<StreamResult<Reply>> receive_chunk(const BdatRequest& request);
  asio::awaitable<Reply> end_of_message(const ContentSummary& summary, std::string_view taken);

  /// What the restrictions of a stage say; nothing: go on.
  asio::awaitable<std::optional<Reply>> refused(SmtpStage stage);
  /// Puts a reply into the output, after the delay that a client with many errors gets.
  asio::awaitable<StreamResult<void>> send(Reply reply);
  asio::awaitable<StreamResult<void>> flush();
  asio::awaitable<StreamResult<std::string_view>> receive();
  asio::awaitable<StreamResult<ReceivedLine>> receive_line(CommandReader& reader);

  void begin_content();
  std::string received_header() const;
  std::string protocol_name() const;
  std::vector<std::pair<std::string_view, std::string>> login_attributes() const;
  std::vector<std::pair<std::string_view, std::string>> client_attributes() const;
  void end_transaction();
  void log(libconf::Severity severity, std::string_view text) { service_.log(severity, text); }
  std::string client_text() const;
  Reply unavailable(std::string_view status, std::string_view text) const;

  std::optional<TlsConnection> tls_connection_;  ///< Outlives the stream, whose TLS refers to it.
  std::optional<TlsFacts> tls_facts_;
  Stream stream_;
  SmtpService& service_;
  SmtpdState state_;
  SessionState protocol_;
  AccessMemory memory_;
  ErrorCounter errors_;
  SessionStatistics statistics_;
  CommandReader reader_;
  std::string input_;  ///< What has come and was not read yet.
  Transaction transaction_;
  std::string where_ = "CONNECT";  ///< For the log: the command that came last.
  std::string output_;             ///< Replies that have not been sent: to pipelined commands, together.
  bool is_over_ = false;
  bool is_stopping_ = false;
  std::uint64_t content_received_ = 0;
};

}  // namespace mta
