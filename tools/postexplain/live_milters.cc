#include "tools/postexplain/live_milters.h"

#include <array>
#include <string>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/smtp/smtp_milters.h"

namespace postexplain {
namespace {

using libconf::concat;
using mta::MilterVerdictKind;

/// The last command before the content.
constexpr std::string_view kLast = "DATA";

std::string text_of(const mta::MilterVerdict& verdict) {
  switch (verdict.kind) {
    case MilterVerdictKind::kContinue:
      return "continue";
    case MilterVerdictKind::kDiscard:
      return "discard";
    case MilterVerdictKind::kHold:
      return "quarantine";
    case MilterVerdictKind::kReject:
    case MilterVerdictKind::kClose:
      break;
  }
  return verdict.reply;
}

}  // namespace

LiveMilters::LiveMilters(Services& services, const Session& session,
                         const std::vector<mta::MilterOptions>& filters, const mta::MilterWarn& warn)
    : services_(services),
      session_(session),
      filters_(filters),
      facts_{.state = &session.state(), .client_connections = 0},
      chain_(
          services.io().get_executor(), filters,
          [this](std::string_view name) { return mta::milter_macro(name, services_.milters, facts_); },
          warn) {}

asio::awaitable<mta::MilterVerdict> LiveMilters::tell_envelope() {
  const mta::SmtpdState& state = session_.state();
  if (!co_await tell("CONNECT", {})) co_return verdict_;
  mta::MilterEvent helo = [&state](mta::MilterSession& session) { return session.helo(*state.helo); };
  if (state.helo && !co_await tell("HELO", std::move(helo))) co_return verdict_;

  facts_.sender = mta::milter_address(*services_.addresses, session_.sender());
  const std::array sender = {concat("<", mta::quote_address(session_.sender()), ">")};
  mta::MilterEvent mail = [&sender](mta::MilterSession& session) { return session.mail(sender); };
  if (!co_await tell("MAIL", std::move(mail))) co_return verdict_;

  facts_.recipient = mta::milter_address(*services_.addresses, session_.recipient());
  const std::array recipient = {concat("<", mta::quote_address(session_.recipient()), ">")};
  mta::MilterEvent rcpt = [&recipient](mta::MilterSession& session) { return session.recipient(recipient); };
  if (!co_await tell("RCPT", std::move(rcpt))) co_return verdict_;

  facts_.recipient.reset();
  facts_.sender.reset();
  mta::MilterEvent data = [](mta::MilterSession& session) { return session.data(); };
  co_await tell(kLast, std::move(data));
  co_return verdict_;
}

asio::awaitable<bool> LiveMilters::tell(std::string_view stage, mta::MilterEvent event) {
  stage_ = stage;
  for (std::size_t i = 0; i < filters_.size(); ++i) {
    mta::MilterClient& client = *chain_.clients()[i];
    mta::MilterVerdict verdict;
    if (event) {
      verdict = co_await client.tell(event);
    } else {
      mta::MilterPeer peer = mta::milter_peer(session_.state().client);
      verdict = co_await client.connect(std::move(peer));
    }
    show(i, verdict);
    if (verdict.kind == MilterVerdictKind::kContinue) continue;
    verdict_ = std::move(verdict);
    if (verdict_.kind != MilterVerdictKind::kHold) co_return false;
  }
  co_return true;
}

/// Who has nothing to say is shown with the last command.
void LiveMilters::show(std::size_t filter, const mta::MilterVerdict& verdict) {
  const std::string& server = filters_[filter].endpoint;
  const std::string answer = text_of(verdict);
  services_.recorder().add(
      {.kind = "milter",
       .text = concat("milter ", server, ", ", stage_, ": ", answer),
       .is_detail = verdict.kind == MilterVerdictKind::kContinue && stage_ != kLast,
       .facts = {{"server", server}, {"command", std::string(stage_)}, {"answer", answer}}});
}

}  // namespace postexplain
