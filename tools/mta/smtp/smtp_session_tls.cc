// SmtpSession: TLS, from the connection's start or after STARTTLS (RFC 3207).
#include "libconf/text.h"
#include "tools/mta/smtp/smtp_session.h"

namespace mta {

using libconf::concat;
using libconf::Severity;

void SmtpSession::update_offers() {
  const ServerTls& tls = service_.tls();
  protocol_.requires_tls = tls.level() == TlsLevel::kEncrypt;
  protocol_.offers_tls = tls.level() != TlsLevel::kNone && !protocol_.discarded.has(EhloKeyword::kStarttls);
  const ServerAuth& auth = service_.auth();
  const bool needs_tls = auth.requires_tls() || protocol_.requires_tls;
  protocol_.offers_auth =
      auth.is_enabled() && (protocol_.is_tls || !needs_tls) && !protocol_.discarded.has(EhloKeyword::kAuth);
}

asio::awaitable<StreamResult<void>> SmtpSession::wrap() {
  if (logged_refusal(limited_client_.refuse_tls(true))) {  // Which nobody could read.
    is_over_ = true;
    co_return StreamResult<void>();
  }
  if (service_.tls().is_available()) {
    const StreamResult<bool> welcome = co_await shake_hands();
    if (!welcome) co_return tl::make_unexpected(welcome.error());
    co_return StreamResult<void>();
  }
  log(Severity::kWarning, concat("Wrapper-mode request dropped from ", client_text(), " for service ",
                                 state_.server_address, ":", state_.server_port,
                                 ". TLS context initialization failed. For details see earlier warnings in "
                                 "your logs."));
  is_over_ = true;
  co_return StreamResult<void>();
}

asio::awaitable<StreamResult<void>> SmtpSession::start_tls() {
  std::optional<Reply> refusal = logged_refusal(limited_client_.refuse_tls(false));
  if (!service_.tls().is_available())
    refusal = Reply(454, "4.7.0", "TLS not available due to local problem", ErrorClass::kSoftware);
  if (refusal) {
    statistics_.count(Verb::kStarttls, false);
    co_return co_await send(std::move(*refusal));
  }
  const Reply ready(220, "2.0.0", "Ready to start TLS");
  StreamResult<void> done = co_await send(ready);
  if (done) done = co_await flush();
  if (!done) co_return done;
  const StreamResult<bool> welcome = co_await shake_hands();
  statistics_.count(Verb::kStarttls, welcome && *welcome);
  if (!welcome) co_return tl::make_unexpected(welcome.error());
  co_return StreamResult<void>();
}

asio::awaitable<StreamResult<bool>> SmtpSession::shake_hands() {
  ServerTls& tls = service_.tls();
  // Whoever sits in between may have sent it: it must not be taken for the client's.
  input_.clear();
  reader_.clear();
  tls_connection_.emplace(TlsConnection{.client = client_text(), .log = service_.warnings()});
  const std::function<void(SSL*)> attach = [&](SSL* session) {
    tls.context().attach(session, *tls_connection_);
  };
  stream_.set_time_limit(tls.time_limit());
  const StreamResult<void> done = co_await stream_.start_tls(tls.asio_context(), attach);
  stream_.set_time_limit(service_.timeout());
  // A handshake that fails has cost as much as one of a new session.
  std::optional<Reply> too_many;
  if (!done || SSL_session_reused(stream_.tls()) == 0)
    too_many = logged_refusal(limited_client_.count(ClientEvent::kTlsSession));
  if (!done) {
    const bool is_timeout = done.error() == StreamEnd::kTimeout;
    log_failed_handshake(*tls_connection_, is_timeout ? "Connection timed out"
                                           : tls_connection_->library_problems.empty() ? "lost connection"
                                                                                       : "-1");
    co_return tl::make_unexpected(StreamEnd::kLost);
  }
  tls_facts_ = read_tls_facts(stream_.tls(), tls.policy(), *tls_connection_);
  log_established(*tls_facts_, tls.policy(), *tls_connection_);
  forget_client();
  state_.tls = tls_state(*tls_facts_);
  protocol_.is_tls = true;
  update_offers();
  if (too_many) {
    is_over_ = true;
    if (const StreamResult<void> sent = co_await send(std::move(*too_many)); !sent)
      co_return tl::make_unexpected(sent.error());
    co_return false;
  }
  if (const StreamResult<void> required = co_await require_certificate(); !required)
    co_return tl::make_unexpected(required.error());
  co_return true;
}

void SmtpSession::forget_client() {
  end_transaction();
  state_.helo.reset();
  state_.sasl = {};
  protocol_.has_helo = protocol_.is_authenticated = false;
  memory_.helo.reset();
}

asio::awaitable<StreamResult<void>> SmtpSession::require_certificate() {
  if (!service_.tls().policy().requires_certificate || tls_facts_->is_trusted) co_return StreamResult<void>();
  const std::string_view problem =
      tls_facts_->has_certificate ? "Client certificate not trusted" : "No client certificate presented";
  log(Severity::kInfo, concat("NOQUEUE: abort: TLS from ", client_text(), ": ", problem));
  is_over_ = true;
  // In wrapper mode it waits for the greeting, else it has the word.
  if (!service_.tls().is_wrapper()) {
    const StreamResult<ReceivedLine> line = co_await receive_line(reader_);
    if (!line) co_return tl::make_unexpected(line.error());
  }
  co_return co_await send(unavailable("4.7.1", concat("Error: ", problem), ErrorClass::kPolicy));
}

}  // namespace mta
