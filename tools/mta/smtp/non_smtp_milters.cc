#include "tools/mta/smtp/non_smtp_milters.h"

#include <algorithm>
#include <span>
#include <utility>

#include "libconf/text.h"
#include "tools/mta/content/content_log.h"
#include "tools/mta/smtp/milter_inspection.h"

namespace mta {

using libconf::concat;
using libconf::Severity;

namespace {

constexpr std::string_view kName = "localhost";
constexpr std::string_view kAddress = "127.0.0.1";
constexpr std::string_view kPort = "0";

/// A client that could have sent it.
SmtpdState local_state() {
  SmtpdState state;
  state.client = {.address = std::string(kAddress),
                  .port = std::string(kPort),
                  .name = std::string(kName),
                  .name_status = NameStatus::kFound,
                  .reverse_name = std::string(kName),
                  .reverse_name_status = NameStatus::kFound};
  state.server_address = std::string(kAddress);
  state.server_port = std::string(kPort);
  state.helo = std::string(kName);
  return state;
}

}  // namespace

NonSmtpMilters::NonSmtpMilters(const asio::any_io_executor& executor, const MilterSettings& settings, Log log)
    : settings_(settings),
      log_(std::move(log)),
      state_(local_state()),
      facts_{.state = &state_},
      chain_(
          executor, settings.filters,
          [this](std::string_view name) { return milter_macro(name, settings_, facts_); },
          [this](std::string_view text) { log_(Severity::kWarning, text); }) {}

std::string NonSmtpMilters::client() { return concat(kName, "[", kAddress, "]"); }

void NonSmtpMilters::log(std::string_view verdict, std::string_view stage, std::string_view text) {
  log_(Severity::kInfo,
       milter_log_line({.queue_id = state_.queue_id,
                        .verdict = verdict,
                        .stage = stage,
                        .client = client(),
                        .text = text,
                        .sender = *state_.sender,
                        .recipient = state_.recipient ? std::optional<std::string_view>(*state_.recipient)
                                                      : std::nullopt}));
}

bool NonSmtpMilters::settle(const MilterVerdict& verdict, std::string_view stage, EnvelopeVerdict& envelope) {
  switch (verdict.kind) {
    case MilterVerdictKind::kContinue:
      return false;
    case MilterVerdictKind::kDiscard:
      log("milter-discard", stage, "milter triggers DISCARD action");
      envelope.discard = true;
      return true;
    case MilterVerdictKind::kHold:
      if (!envelope.hold) log("milter-hold", stage, "milter triggers HOLD action");
      envelope.hold = true;
      return false;
    case MilterVerdictKind::kReject:
    case MilterVerdictKind::kClose:
      break;
  }
  constexpr std::size_t kCode = std::string_view("550 ").size();
  const std::string_view reply = verdict.reply;
  log("milter-reject", stage, reply.substr(std::min(kCode, reply.size())));
  envelope.refusal = rejection_of(reply);
  return true;
}

asio::awaitable<EnvelopeVerdict> NonSmtpMilters::tell_envelope(std::string queue_id, std::string sender,
                                                               std::vector<std::string> recipients) {
  EnvelopeVerdict envelope;
  state_.queue_id = std::move(queue_id);
  state_.sender = sender;
  MilterPeer peer{.name = std::string(kName), .address = std::string(kAddress)};
  MilterVerdict verdict = co_await chain_.connect(std::move(peer));
  if (settle(verdict, "CONNECT", envelope)) co_return envelope;

  MilterEvent helo = [](MilterSession& session) { return session.helo(kName); };
  verdict = co_await chain_.tell(std::move(helo));
  if (settle(verdict, "EHLO", envelope)) co_return envelope;

  facts_.sender = MilterAddress{.address = sender};
  MilterEvent mail = [&sender](MilterSession& session) { return session.mail(std::span(&sender, 1)); };
  verdict = co_await chain_.tell(std::move(mail));
  if (settle(verdict, "MAIL", envelope)) co_return envelope;

  for (const std::string& recipient : recipients) {
    state_.recipient = recipient;
    facts_.recipient = MilterAddress{.address = recipient};
    MilterEvent rcpt = [&recipient](MilterSession& session) {
      return session.recipient(std::span(&recipient, 1));
    };
    verdict = co_await chain_.tell(std::move(rcpt));
    if (!settle(verdict, "RCPT", envelope)) continue;
    if (envelope.refusal) {
      log_(Severity::kWarning,
           concat(state_.queue_id,
                  ": milter configuration error: can't reject recipient in non-smtpd(8) submission"));
      log_(Severity::kWarning, concat(state_.queue_id, ": message not accepted, try again later"));
      envelope.refusal = Rejection{.code = 451, .status = "4.3.5", .text = "Server configuration error"};
    }
    co_return envelope;
  }
  MilterEvent data = [](MilterSession& session) { return session.data(); };
  verdict = co_await chain_.tell(std::move(data));
  settle(verdict, "DATA", envelope);
  co_return envelope;
}

}  // namespace mta
