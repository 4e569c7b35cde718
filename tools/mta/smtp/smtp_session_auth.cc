// SmtpSession: AUTH (RFC 4954).
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "libconf/text.h"
#include "tools/mta/smtp/smtp_session.h"

namespace mta {

using libconf::concat;
using libconf::Result;
using libconf::Severity;

/// How much of the name of a login that failed the log has, in bytes.
constexpr std::size_t kShownOfName = 100;

SaslPeer SmtpSession::sasl_peer() const {
  return {.local_address = state_.server_address,
          .local_port = state_.server_port,
          .remote_address = state_.client.address,
          .remote_port = state_.client.port,
          .has_tls = protocol_.is_tls,
          .has_trusted_certificate = state_.tls.is_certificate_trusted};
}

std::string SmtpSession::sasl_text() const {
  std::string text;
  if (!state_.sasl.method.empty()) text += concat(", sasl_method=", state_.sasl.method);
  if (!state_.sasl.username.empty()) text += concat(", sasl_username=", state_.sasl.username);
  if (transaction_.mail.submitter) text += concat(", sasl_sender=", *transaction_.mail.submitter);
  return text;
}

asio::awaitable<Result<std::string>> SmtpSession::offered_mechanisms() {
  ServerAuth& auth = service_.auth();
  if (!protocol_.offers_auth) co_return std::string();
  const Result<bool> is_announced = auth.is_announced_to(state_.client);
  if (!is_announced) {
    log(Severity::kWarning, is_announced.error().message);
    log(Severity::kWarning, concat("don't know if EHLO feature AUTH should be announced to ", client_text()));
    co_return is_announced.error();
  }
  if (!*is_announced) co_return std::string();
  const SaslPeer peer = sasl_peer();
  const Result<std::vector<std::string>> mechanisms = co_await auth.sasl().mechanisms(peer);
  if (!mechanisms) {
    log(Severity::kWarning, mechanisms.error().message);
    co_return mechanisms.error();
  }
  std::string names;
  for (const std::string& each : *mechanisms) names += concat(names.empty() ? "" : " ", each);
  co_return names;
}

asio::awaitable<StreamResult<Reply>> SmtpSession::authenticate(const AuthRequest& request) {
  const ServerOptions& options = service_.options();
  SaslServer& sasl = service_.auth().sasl();
  const SaslPeer peer = sasl_peer();
  SaslExchange exchange = sasl.exchange(peer);
  std::optional<std::string_view> initial_response;
  if (request.initial_response) initial_response = *request.initial_response;
  SaslReply answer = co_await exchange.start(request.mechanism, initial_response);
  CommandReader responses(sasl.response_limit(), options.smtpd_forbid_bare_newline, false);
  while (answer.state == SaslReply::State::kChallenge) {
    if (const StreamResult<void> sent = co_await send(parse_reply(answer.text)); !sent)
      co_return tl::make_unexpected(sent.error());
    const StreamResult<ReceivedLine> response = co_await receive_line(responses);
    if (!response) co_return tl::make_unexpected(response.error());
    if (response->has_bare_newline && options.smtpd_forbid_bare_newline == BareNewline::kReject) {
      is_over_ = true;
      co_return reply_to_bare_newline(options);
    }
    answer = co_await exchange.step(response->text);
  }
  if (answer.state == SaslReply::State::kSuccess) {
    state_.sasl = {.is_authenticated = true, .method = request.mechanism, .username = answer.username};
    protocol_.is_authenticated = true;
    service_.auth().limits().succeeded(state_.client.address);
  } else {
    log_failed_login(request.mechanism, answer);
  }
  if (answer.state == SaslReply::State::kFailed) co_await delay_failed_login();
  co_return parse_reply(answer.text);
}

void SmtpSession::log_failed_login(std::string_view mechanism, const SaslReply& answer) {
  if (answer.state == SaslReply::State::kTooLong) return;  // The reader has said it.
  const std::string what = concat(client_text(), ": SASL ", mechanism, " authentication ");
  if (answer.state == SaslReply::State::kAborted) return log(Severity::kWarning, concat(what, "aborted"));
  log(Severity::kWarning,
      concat(what, "failed: ", answer.reason, ", sasl_username=",
             answer.username.empty() ? "(unavailable)" : answer.username.substr(0, kShownOfName)));
}

asio::awaitable<void> SmtpSession::delay_failed_login() {
  const auto delay = service_.auth().limits().failed(state_.client.address, std::chrono::steady_clock::now());
  if (delay.count() == 0) co_return;
  asio::steady_timer timer(co_await asio::this_coro::executor, delay);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace mta
