// SmtpSession: where the mail goes, the queue or a before-queue filter, and whom it comes from at first.
#include <algorithm>
#include <asio/this_coro.hpp>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/smtp/path.h"
#include "tools/mta/smtp/smtp_session.h"

namespace mta {

using libconf::concat;
using libconf::Result;
using libconf::Severity;

std::optional<Reply> SmtpSession::open_intake() {
  Result<std::unique_ptr<MessageDestination>> intake = service_.open_message();
  if (!intake) {
    log(Severity::kWarning, intake.error().message);
    return Reply(451, "4.3.0", "Error: queue file write error", ErrorClass::kResource);
  }
  transaction_.intake = std::move(*intake);
  transaction_.queue_id = transaction_.intake->id();
  log(Severity::kInfo, client_line());
  return std::nullopt;
}

ForwardedAttributes SmtpSession::attributes_to_forward() {
  const auto known = [](std::string value) { return value == "unknown" ? std::string() : value; };
  const LoggedClient client = logged_client();
  const std::string address = known(client.address);
  return {{"NAME", known(client.name)},
          {"ADDR", smtp_literal(address)},
          {"PORT", known(client.port)},
          {"HELO", known(client.helo.value_or(""))},
          {"IDENT", forwarded_.ident().value_or("")},
          {"PROTO", known(client.protocol)},
          {"SOURCE", rewrite_context() == RewriteContext::kLocal ? "LOCAL" : "REMOTE"}};
}

asio::awaitable<std::optional<Reply>> SmtpSession::offer_to_proxy() {
  if (!transaction_.proxy) {
    const auto executor = co_await asio::this_coro::executor;
    transaction_.proxy = std::make_unique<ProxyFilter>(
        executor, service_.proxy(), service_.runtime().queue, attributes_to_forward(),
        [this](std::string_view text) { log(Severity::kWarning, text); });
  }
  if (!transaction_.proxy->is_started()) {
    std::optional<Reply> refusal = co_await transaction_.proxy->start(transaction_.mail_command);
    if (refusal) co_return refusal;
    log(Severity::kInfo, client_line());
  }
  co_return co_await transaction_.proxy->recipient(command_text_);
}

/// What was forwarded to us has a header of the first server; what the filter passes on gets another one.
void SmtpSession::begin_proxied_content() {
  std::vector<std::string> headers = transaction_.actions.prepend;
  if (!forwarded_.was_told()) headers.push_back(received_header());
  for (const std::string& header : headers) {
    std::string_view rest = header;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      transaction_.proxy->line(line, false);
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    }
  }
  transaction_.lines = std::make_unique<MailboxLines>(*transaction_.proxy);
}

void SmtpSession::forgive() {
  errors_.forgive();
  transcript_.forgive();
}

void SmtpSession::log_proxy(const Reply& reply) {
  std::string text;
  reply.append_to(text);
  text.resize(text.size() - std::string_view("\r\n").size());
  const bool is_taken = reply.code() / 100 == 2;
  log(Severity::kInfo,
      concat(is_taken ? "proxy-accept" : "proxy-reject", ": END-OF-MESSAGE: ", text, "; from=<",
             quote_address(transaction_.mail.sender), "> to=<", transaction_.recipients.front().address,
             "> proto=", state_.protocol, state_.helo ? concat(" helo=<", *state_.helo, ">") : ""));
}

}  // namespace mta
