/// The server's side of an SMTP session, from the greeting to the end (smtpd(8)).
///
///     SmtpSession session(std::move(socket), *service);
///     co_await session.run();
///
/// Reads as one conversation; other sessions go on wherever it waits.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/mta/access/engine.h"
#include "tools/mta/access/smtpd_state.h"
#include "tools/mta/access/verdict.h"
#include "tools/mta/address/virtual_alias.h"
#include "tools/mta/smtp/error_limits.h"
#include "tools/mta/smtp/forwarded_client.h"
#include "tools/mta/smtp/line_reader.h"
#include "tools/mta/smtp/mailbox_lines.h"
#include "tools/mta/smtp/message_intake.h"
#include "tools/mta/smtp/rate_limits.h"
#include "tools/mta/smtp/reply.h"
#include "tools/mta/smtp/request.h"
#include "tools/mta/smtp/request_deadline.h"
#include "tools/mta/smtp/session_statistics.h"
#include "tools/mta/smtp/session_transcript.h"
#include "tools/mta/smtp/smtp_milters.h"
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
    std::unique_ptr<ProxyFilter> proxy;          ///< Instead of it, when a filter gets the mail.
    std::unique_ptr<MailboxLines> lines;         ///< Where the content goes.
    std::string mail_command;                    ///< As the client gave it.
    std::string queue_id;
    MessageActions actions;
    std::unique_ptr<ChunkReader> chunks;  ///< From the first BDAT on.
    bool has_begun = false;               ///< The envelope has been written.
  };

  static constexpr std::string_view kEndOfMessage = "END-OF-MESSAGE";         ///< In the log.
  static constexpr std::string_view kBareNewlineText = "bare <LF> received";  ///< In the log.

  // smtp_session_log.cc: what the log says of what was refused before restrictions have seen it.
  /// The message's queue ID, or "NOQUEUE".
  std::string log_id() const;
  /// "NOQUEUE: reject: WHERE from CLIENT: TEXT; from=<...> ...".
  void log_rejected(std::string_view where, std::string_view text);
  /// Why the session is over, where that was no command.
  void log_end(bool is_timeout);
  /// Sends the postmaster the transcript. REQUIRES: it is wanted.
  asio::awaitable<void> report_errors();
  static SessionTranscript start_transcript(SmtpService& service);
  /// Some replies to bad syntax have a warning; of others nothing is said.
  void warn_of_address(std::string_view command, std::string_view address);
  void warn_of_notify(const std::vector<CommandWord>& words);
  void log_refused_request(Verb verb, const Reply& reply, const CommandLine& line);

  // smtp_session_client.cc: who the client is, and what this service has for it.
  /// Finds out who has connected. What comes back is said instead of the greeting,
  /// and ends the session.
  asio::awaitable<std::optional<Reply>> meet_client();
  asio::awaitable<bool> read_proxy_header(std::chrono::seconds timeout);
  std::optional<Reply> limit_client();
  std::optional<Reply> logged_refusal(std::optional<RateRefusal> refusal);
  void choose_bare_newline();
  asio::awaitable<std::optional<Reply>> refuse_early_input();
  /// `input_` came before the client may send it. Nothing: it may go on.
  std::optional<Reply> refuse_improper_input();
  /// What smtpd_client_*_rate_limit say of a command, before it is looked at any closer.
  std::optional<Reply> refuse_counted(const Command& command, const CommandLine& line);
  /// The client is refused, and hears it again whatever it says.
  void deny();
  Reply access_denied() const;
  Reply local_data_error();
  std::optional<Reply> filter_command(std::string& text);
  std::optional<Reply> choose_ehlo_keywords();
  /// A 4xx or 5xx reply as it goes out.
  void finish_refusal(Reply& reply);
  struct ReceivedLine {
    std::string text;
    bool has_bare_newline = false;
  };

  asio::awaitable<StreamResult<void>> converse();
  asio::awaitable<StreamResult<void>> greet();
  /// What this client may do: XCLIENT, XFORWARD and XVERP.
  void update_rights();
  /// The greeting, or what filters say instead; also after XCLIENT.
  asio::awaitable<Reply> greeting_after_filters();
  asio::awaitable<StreamResult<void>> command(std::string text, bool has_bare_newline);
  asio::awaitable<StreamResult<void>> carry_out(const Command& command, Request request);

  asio::awaitable<Reply> handle(const HeloRequest& request);
  asio::awaitable<Reply> handle(const MailRequest& request);
  asio::awaitable<Reply> handle(const RcptRequest& request);
  asio::awaitable<Reply> handle(const VrfyRequest& request);
  asio::awaitable<Reply> handle(const EtrnRequest& request);
  asio::awaitable<Reply> handle(const XclientRequest& request);
  Reply handle(const XforwardRequest& request);

  /// Begins TLS with the connection (smtpd_tls_wrappermode).
  asio::awaitable<StreamResult<void>> wrap();
  asio::awaitable<StreamResult<void>> start_tls();
  /// Makes the handshake, after which all that a client has said is forgotten. False: it was told that it
  /// makes too many.
  asio::awaitable<StreamResult<bool>> shake_hands();
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
  asio::awaitable<std::optional<Reply>> refused_before_content();
  asio::awaitable<Reply> end_of_message(const ContentSummary& summary, std::string_view taken);

  /// What the restrictions of a stage say; nothing: go on.
  asio::awaitable<std::optional<Reply>> refused(SmtpStage stage);
  /// Puts a reply into the output, after the delay that a client with many errors gets.
  asio::awaitable<StreamResult<void>> send(Reply reply);
  asio::awaitable<StreamResult<void>> flush();
  asio::awaitable<StreamResult<std::string_view>> receive();
  asio::awaitable<StreamResult<ReceivedLine>> receive_line(CommandReader& reader);

  /// The client as the queue file and the log of a message have it: this one, or what XFORWARD said.
  struct LoggedClient {
    std::string name;
    std::string address;
    std::string port;
    std::optional<std::string> helo;
    std::string protocol;
    std::string origin;  ///< "name[address]"
  };
  LoggedClient logged_client() const;
  std::string client_line() const;
  std::vector<std::pair<std::string_view, std::string>> client_attributes() const;
  RewriteContext rewrite_context();
  /// Makes the file for a message, at its first recipient. A reply: it cannot be.
  std::optional<Reply> open_intake();
  /// Tells the before-queue filter of the recipient.
  asio::awaitable<std::optional<Reply>> offer_to_proxy();
  ForwardedAttributes attributes_to_forward();
  void begin_content();
  void begin_message();
  void begin_proxied_content();
  void log_proxy(const Reply& reply);
  /// A message was taken: no error before it counts.
  void forgive();
  /// For whom debug_peer_list has: the words of a command, or the lines of a reply.
  void log_command(const CommandLine& line);
  void log_reply(std::string_view lines);
  /// The part of the Received: header about the client and its session.
  std::string session_clause() const;
  std::string received_header() const;
  /// Forgets the message, but not what XFORWARD said of the next.
  void clear_transaction();
  std::string protocol_name() const;
  std::vector<std::pair<std::string_view, std::string>> login_attributes() const;
  void end_transaction();
  void log(libconf::Severity severity, std::string_view text) { service_.log(severity, text); }
  std::string client_text() const;
  Reply unavailable(std::string_view status, std::string_view text, ErrorClasses classes = {}) const;

  std::optional<TlsConnection> tls_connection_;  ///< Outlives the stream, whose TLS refers to it.
  std::optional<TlsFacts> tls_facts_;
  Stream stream_;
  SmtpService& service_;
  SmtpdState state_;
  SessionState protocol_;
  AccessMemory memory_;
  ErrorCounter errors_;
  SessionStatistics statistics_;
  SessionTranscript transcript_;
  std::string_view end_reason_;  ///< For the transcript; empty: the session ended as it should.
  CommandReader reader_;
  std::string input_;  ///< What has come and was not read yet.
  Transaction transaction_;
  std::unique_ptr<SmtpMilters> milters_;  ///< Null: nobody filters this client.
  ForwardedClient forwarded_;             ///< Of the message that is to come, or comes.
  LimitedClient limited_client_;
  BareNewline bare_newline_ = BareNewline::kNormalize;  ///< For this client.
  std::optional<RequestDeadline> deadline_;
  std::string command_text_;            ///< The command that is being answered.
  std::vector<std::string> arguments_;  ///< Of MAIL and RCPT, as the client wrote them; for filters.
  std::string where_ = "CONNECT";       ///< For the log: the command that came last, or kEndOfMessage.
  std::string output_;                  ///< Replies that have not been sent: to pipelined commands, together.
  bool is_known_ = true;                ///< Not: the proxy has not said who it is.
  bool is_denied_ = false;              ///< The client was refused: all its commands are.
  bool is_over_ = false;
  bool is_watched_ = false;  ///< debug_peer_list has the client.
  bool is_stopping_ = false;
  std::uint64_t content_received_ = 0;
};

}  // namespace mta
