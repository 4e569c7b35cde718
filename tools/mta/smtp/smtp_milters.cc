#include "tools/mta/smtp/smtp_milters.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/content/content_log.h"
#include "tools/mta/smtp/milter_inspection.h"

namespace mta {

using libconf::concat;
using libconf::Result;
using libconf::Severity;

namespace {

/// A filter that is nowhere: what stands for those that a table could not name.
std::vector<MilterOptions> unavailable() {
  MilterOptions options;
  options.endpoint = "smtpd_milter_maps";
  options.place.path = {.path = "/nowhere"};
  return {options};
}

}  // namespace

MilterAddress milter_address(AddressServices& addresses, const std::string& address) {
  const Result<Resolution> route = addresses.route(address);
  if (!route) return {.address = quote_address(address)};
  return {.address = address.empty() ? "" : quote_address(route->recipient),
          .host = route->nexthop,
          .mailer = route->transport};
}

MilterPeer milter_peer(const ClientState& client) {
  MilterPeer peer{
      .name = client.name == "unknown" ? concat("[", client.address, "]") : client.name,
      .family = client.address.find(':') == std::string::npos ? MilterFamily::kInet : MilterFamily::kInet6,
      .address = client.address};
  std::from_chars(client.port.data(), client.port.data() + client.port.size(), peer.port);
  return peer;
}

std::unique_ptr<SmtpMilters> SmtpMilters::open(const asio::any_io_executor& executor, SmtpService& service,
                                               const SmtpdState& state, unsigned connections) {
  Result<std::vector<MilterOptions>> filters = service.milters_of(state.client);
  if (!filters) {
    service.log(Severity::kWarning, filters.error().message);
    filters = unavailable();
  }
  if (filters->empty()) return nullptr;
  return std::unique_ptr<SmtpMilters>(
      new SmtpMilters(executor, service, state, connections, std::move(*filters)));
}

SmtpMilters::SmtpMilters(const asio::any_io_executor& executor, SmtpService& service, const SmtpdState& state,
                         unsigned connections, std::vector<MilterOptions> filters)
    : service_(service),
      state_(state),
      filters_(std::move(filters)),
      facts_{.state = &state, .client_connections = connections},
      chain_(
          executor, filters_,
          [this](std::string_view name) { return milter_macro(name, service_.milters(), facts_); },
          [this](std::string_view text) { service_.log(Severity::kWarning, text); }) {}

void SmtpMilters::log(std::string_view verdict, std::string_view text, const Occasion& occasion) {
  std::optional<std::string> sender;
  if (state_.sender) sender = quote_address(*state_.sender);
  service_.log(Severity::kInfo,
               milter_log_line({.queue_id = state_.queue_id,
                                .verdict = verdict,
                                .stage = occasion.command,
                                .client = concat(state_.client.name, "[", state_.client.address, "]"),
                                .text = text,
                                .sender = sender,
                                .recipient = occasion.recipient,
                                .protocol = occasion.protocol,
                                .helo = state_.helo ? std::string_view(*state_.helo) : std::string_view()}));
}

std::optional<Reply> SmtpMilters::settle(const MilterVerdict& verdict, const Occasion& occasion) {
  switch (verdict.kind) {
    case MilterVerdictKind::kContinue:
      return std::nullopt;
    case MilterVerdictKind::kDiscard:
      log("milter-discard", "milter triggers DISCARD action", occasion);
      if (occasion.actions != nullptr) occasion.actions->discard = true;
      return std::nullopt;
    case MilterVerdictKind::kHold:
      log("milter-hold", "milter triggers HOLD action", occasion);
      if (occasion.actions != nullptr) occasion.actions->hold = true;
      return std::nullopt;
    case MilterVerdictKind::kReject:
    case MilterVerdictKind::kClose:
      break;
  }
  log("milter-reject", verdict.reply, occasion);
  const Rejection rejection = rejection_of(verdict.reply);
  return Reply(rejection.code, rejection.status, rejection.text, ErrorClass::kPolicy);
}

SmtpMilters::Answer SmtpMilters::connect() {
  MilterPeer peer = milter_peer(state_.client);
  const MilterVerdict verdict = co_await chain_.connect(std::move(peer));
  const Occasion occasion{.command = "CONNECT", .protocol = "SMTP"};
  co_return settle(verdict, occasion);
}

SmtpMilters::Answer SmtpMilters::helo(std::string_view command, std::string protocol) {
  MilterEvent event = [this](MilterSession& session) { return session.helo(state_.helo.value_or("")); };
  const MilterVerdict verdict = co_await chain_.tell(std::move(event));
  const Occasion occasion{.command = command, .protocol = protocol};
  co_return settle(verdict, occasion);
}

SmtpMilters::Answer SmtpMilters::mail(Arguments arguments, MessageActions& actions) {
  facts_.sender = milter_address(service_.addresses(), state_.sender.value_or(""));
  MilterEvent event = [&arguments](MilterSession& session) { return session.mail(arguments); };
  const MilterVerdict verdict = co_await chain_.tell(std::move(event));
  facts_.sender.reset();
  const Occasion occasion{.command = "MAIL", .protocol = state_.protocol, .actions = &actions};
  co_return settle(verdict, occasion);
}

SmtpMilters::Answer SmtpMilters::recipient(Arguments arguments, MessageActions& actions) {
  facts_.recipient = milter_address(service_.addresses(), state_.recipient.value_or(""));
  MilterEvent event = [&arguments](MilterSession& session) { return session.recipient(arguments); };
  const MilterVerdict verdict = co_await chain_.tell(std::move(event));
  facts_.recipient.reset();
  const Occasion occasion{.command = "RCPT",
                          .protocol = state_.protocol,
                          .recipient = quote_address(state_.recipient.value_or("")),
                          .actions = &actions};
  co_return settle(verdict, occasion);
}

asio::awaitable<void> SmtpMilters::rejected_recipient(Arguments arguments, Reply reply) {
  // "<bob@example.org>: Recipient address rejected: no" without the address.
  std::string_view text = reply.text();
  if (const std::size_t colon = text.find(">: "); text.starts_with('<') && colon != std::string_view::npos)
    text.remove_prefix(colon + 3);
  facts_.recipient = MilterAddress{.address = std::string(text), .host = reply.enhanced(), .mailer = "error"};
  MilterEvent event = [&arguments](MilterSession& session) { return session.recipient(arguments); };
  co_await chain_.tell_rejected_recipient(std::move(event));
  facts_.recipient.reset();
}

SmtpMilters::Answer SmtpMilters::data(std::string recipient, MessageActions& actions) {
  MilterEvent event = [](MilterSession& session) { return session.data(); };
  const MilterVerdict verdict = co_await chain_.tell(std::move(event));
  const Occasion occasion{
      .command = "DATA", .protocol = state_.protocol, .recipient = std::move(recipient), .actions = &actions};
  co_return settle(verdict, occasion);
}

SmtpMilters::Answer SmtpMilters::unknown(std::string command) {
  MilterEvent event = [&command](MilterSession& session) { return session.unknown(command); };
  const MilterVerdict verdict = co_await chain_.tell(std::move(event));
  const Occasion occasion{.command = "UNKNOWN", .protocol = state_.protocol};
  co_return settle(verdict, occasion);
}

}  // namespace mta
