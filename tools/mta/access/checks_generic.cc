// Restrictions that look at the session, or at nothing.
#include <algorithm>

#include "libconf/text.h"
#include "tools/mta/access/evaluation.h"

namespace mta {

using libconf::concat;

asio::awaitable<Outcome> Evaluation::check_class(const Restriction& restriction) {
  ++depth_;
  const Outcome outcome = co_await run_restrictions(*restriction.restrictions);
  --depth_;
  co_return outcome;
}

asio::awaitable<Outcome> Evaluation::check_constant(const Restriction& restriction) {
  constexpr int kTemporary = 450;
  const AccessSettings& values = parts_.values;
  const Target target = list_target();
  switch (restriction.type->kind) {
    case RestrictionKind::kPermit:
      co_return permit(restriction.type->name, target);
    case RestrictionKind::kReject:
      co_return reject_target(target, values.reject_code, "5.7.1", "Access denied");
    case RestrictionKind::kDefer:
      co_return reject_target(target, values.defer_code, "4.3.2", "Try again later");
    case RestrictionKind::kDeferIfPermit:
      co_return defer_if_permit(reply_for(target, kTemporary, "4.7.0", "defer_if_permit requested"));
    case RestrictionKind::kDeferIfReject:
      co_return defer_if_reject(reply_for(target, kTemporary, "4.7.0", "defer_if_reject requested"));
    default:
      co_return Outcome::kDunno;
  }
}

asio::awaitable<Outcome> Evaluation::check_permit_client(const Restriction& restriction) {
  const Target target = *target_of(Subject::kClient);
  bool permits = false;
  switch (restriction.type->kind) {
    case RestrictionKind::kPermitMynetworks: {
      if (!parts_.mynetworks) co_return Outcome::kDunno;
      const auto found = parts_.mynetworks->matches_client(state_.client.name, state_.client.address);
      if (!found) {
        warn(found.error().message);
        co_return temporary_lookup_failure(list_target());
      }
      permits = *found;
      break;
    }
    case RestrictionKind::kPermitInetInterfaces: {
      const auto& own = parts_.site.interface_addresses;
      permits = std::find(own.begin(), own.end(), state_.client.address) != own.end();
      break;
    }
    case RestrictionKind::kPermitSaslAuthenticated:
      permits = state_.sasl.is_authenticated;
      break;
    case RestrictionKind::kPermitAllCertificates:
      permits = state_.tls.has_certificate && state_.tls.is_certificate_trusted;
      break;
    case RestrictionKind::kPermitCertificates:
      if (!state_.tls.has_certificate) co_return Outcome::kDunno;
      for (const std::string& key : {state_.tls.certificate_fingerprint, state_.tls.public_key_fingerprint})
        for (const std::string& table : parts_.relay_clientcerts) {
          if (key.empty() || permits) continue;
          const Found found = find(table, AccessKey::kExact, key, {Subject::kCertificate, key});
          // Not to know is not to trust.
          permits = found.match.has_value();
        }
      break;
    default:
      break;
  }
  co_return permits ? permit(restriction.type->name, target) : Outcome::kDunno;
}

asio::awaitable<Outcome> Evaluation::check_multi_recipient_bounce(const Restriction&) {
  if (!state_.sender || !state_.sender->empty()) co_return Outcome::kDunno;
  // Recipients count when they have been accepted: at RCPT TO the present one is not among them.
  const bool is_at_recipient = state_.stage == SmtpStage::kRcpt;
  if (state_.recipient_count + (is_at_recipient ? 1 : 0) < 2) co_return Outcome::kDunno;
  co_return reject_target(list_target(), parts_.values.multi_recipient_bounce_reject_code, "5.5.3",
                          "Multi-recipient bounce");
}

asio::awaitable<Outcome> Evaluation::check_session(const Restriction& restriction) {
  if (restriction.type->kind == RestrictionKind::kRejectPlaintextSession) {
    if (state_.tls.is_encrypted) co_return Outcome::kDunno;
    const int code = parts_.values.plaintext_reject_code;
    co_return reject(
        {.code = code, .status = code < 500 ? "4.7.1" : "5.7.1", .text = "Session encryption is required"});
  }
  if (!state_.has_unauthorized_pipelining) co_return Outcome::kDunno;
  constexpr int kBadSequence = 503;
  co_return reject_target(list_target(), kBadSequence, "5.5.0", "Improper use of SMTP command pipelining");
}

asio::awaitable<Outcome> Evaluation::check_sleep(const Restriction& restriction) {
  co_await parts_.services.sleep(std::get<std::chrono::seconds>(restriction.argument));
  co_return Outcome::kDunno;
}

asio::awaitable<Outcome> Evaluation::check_unknown_client(const Restriction& restriction) {
  const bool is_reverse = restriction.type->subject == Subject::kReverseClient;
  const NameStatus status = is_reverse ? state_.client.reverse_name_status : state_.client.name_status;
  if (status == NameStatus::kFound) co_return Outcome::kDunno;
  constexpr int kTemporary = 450;
  const int code =
      status == NameStatus::kTemporaryFailure ? kTemporary : parts_.values.unknown_client_reject_code;
  AccessReply reply{.code = code, .status = is_reverse ? "5.7.1" : "5.7.25"};
  reply.status[0] = static_cast<char>('0' + code / 100);
  reply.text = concat("Client host rejected: cannot find your ", is_reverse ? "reverse hostname" : "hostname",
                      ", [", state_.client.address, "]");
  co_return reject(std::move(reply));
}

asio::awaitable<Outcome> Evaluation::check_policy(const Restriction& restriction) {
  const auto& service = std::get<PolicyServiceSettings>(restriction.argument);
  const std::function<void(std::string)> warn_of = [this](std::string text) { warn(text); };
  const std::string answer = co_await parts_.services.policy.ask(service, state_, warn_of);
  const Target target = list_target();
  co_return co_await act_on_value(restriction, answer, service.argument, "policy query", target);
}

}  // namespace mta
