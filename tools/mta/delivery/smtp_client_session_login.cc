// How SmtpClientSession logs in (RFC 4954).
#include "libconf/text.h"
#include "libmaps/base64.h"
#include "tools/mta/delivery/smtp_client_session.h"
#include "tools/mta/sasl/cyrus_client.h"

namespace mta {

using libconf::concat;
using libconf::Result;

DeliveryFault SmtpClientSession::login_fault(std::string_view reason) const {
  return {.status = "4.7.0",
          .text = concat("SASL authentication failed; cannot authenticate to server ", server_.host(), ": ",
                         reason)};
}

/// A fault: the server takes no mail from strangers.
asio::awaitable<std::optional<DeliveryFault>> SmtpClientSession::log_in() {
  if (login_.logins == nullptr || !features_.has(EhloKeyword::kAuth)) co_return std::nullopt;
  if (login_.is_unknown)
    co_return DeliveryFault{.status = "4.3.0",
                            .text = concat("local data error while talking to ", server_.host())};
  if (!login_.credentials) co_return std::nullopt;
  const Result<std::string> mechanisms = login_.logins->filter(features_.mechanisms());
  if (!mechanisms) {
    log_.write(tag_, Severity::kWarning, mechanisms.error().message);
    co_return DeliveryFault{.status = "4.3.0",
                            .text = concat("local data error while talking to ", server_.host())};
  }
  if (mechanisms->empty()) {
    std::string problem = concat(server_.relay(), " offered null AUTH mechanism list");
    if (!features_.mechanisms().empty())
      problem =
          concat(server_.relay(), " offered no supported AUTH mechanisms: '", features_.mechanisms(), "'");
    log_.write(tag_, Severity::kWarning, problem);
    co_return DeliveryFault{
        .status = "4.7.0",
        .text = concat("SASL authentication failed: server ", server_.host(),
                       " offered no compatible authentication mechanisms for this type of connection "
                       "security")};
  }
  LoginChannel channel = LoginChannel::kPlain;
  if (is_protected_) channel = LoginChannel::kTls;
  if (is_protected_ && tls_.policy.checks_server()) channel = LoginChannel::kVerifiedTls;
  const CyrusClient::Place place{.service = options_.is_lmtp() ? "lmtp" : "smtp", .host = server_.name};
  const Result<std::unique_ptr<CyrusClient>> client =
      CyrusClient::open(place, *login_.credentials, login_.logins->options(channel), sink_);
  if (!client) co_return login_fault(client.error().message);
  co_return co_await exchange(**client, *mechanisms);
}

asio::awaitable<std::optional<DeliveryFault>> SmtpClientSession::exchange(CyrusClient& client,
                                                                          std::string mechanisms) {
  const std::string_view while_what =
      options_.is_lmtp() ? "performing the LHLO handshake" : "performing the EHLO handshake";
  const Result<CyrusClient::Start> start = client.start(mechanisms);
  if (!start) co_return login_fault(start.error().message);
  std::string line = concat("AUTH ", start->mechanism);
  // RFC 4954, section 4: an empty response is a sign.
  if (start->response)
    line += concat(" ", start->response->empty() ? "=" : libmaps::encode_base64(*start->response));
  for (;;) {
    line += "\r\n";
    const StreamResult<void> sent = co_await say(line, options_.helo_timeout);
    if (!sent) co_return loss(sent.error(), while_what);
    const StreamResult<ServerReply> reply = co_await connection_->receive(options_.helo_timeout);
    if (!reply) co_return loss(reply.error(), while_what);
    if (reply->is_success()) {
      is_logged_in_ = true;
      co_return std::nullopt;
    }
    if (reply->code / 100 != 3) {
      DeliveryFault fault{
          .status = reply->status,
          .text = concat("SASL authentication failed; server ", server_.host(), " said: ", reply->text),
          .remote_server = server_.name,
          .diagnostic = reply->text};
      if (login_.logins->defers_refusals()) fault.status[0] = '4';
      co_return fault;
    }
    const std::optional<std::string> challenge = libmaps::decode_base64(libconf::trim(reply->lines.back()));
    if (!challenge) co_return login_fault(CyrusClient::unreadable_challenge().message);
    const Result<std::string> response = client.step(*challenge);
    if (!response) co_return login_fault(response.error().message);
    line = libmaps::encode_base64(*response);
  }
}

}  // namespace mta
