#include "tools/mta/delivery/smtp_delivery.h"

#include <numeric>
#include <utility>

#include "libconf/text.h"
#include "tools/mta/delivery/delivery_log.h"

namespace mta {

using libconf::concat;
using libconf::Severity;

SmtpDelivery::SmtpDelivery(const DeliveryRequest& request, int message, DeliveryStatusFilter& filter,
                           MailLog& log, LogTag tag)
    : request_(request),
      message_(message),
      filter_(filter),
      log_(log),
      tag_(tag),
      open_(request.recipients.size()) {
  std::iota(open_.begin(), open_.end(), std::size_t{0});
}

void SmtpDelivery::enter(bool is_last_nexthop) {
  is_last_nexthop_ = is_last_nexthop;
  sessions_ = 0;
}

void SmtpDelivery::start(std::string relay, bool is_last) {
  relay_ = std::move(relay);
  is_last_ = is_last && is_last_nexthop_;
  connected_ = {};
  connection_uses_ = 1;
}

void SmtpDelivery::connect(std::size_t session_limit, const SmtpClientSession& session) {
  knows_dsn_ = session.features().has(EhloKeyword::kDsn);
  connection_uses_ = session.uses() + 1;
  connected_ = Clock::now();
  report_.is_destination_dead = false;
  has_session_ = true;
  ++sessions_;
  is_last_ |= has_sessions(session_limit) && is_last_nexthop_;
}

void SmtpDelivery::give_up(const DeliveryFault& fault, std::string relay) {
  relay_ = std::move(relay);
  connected_ = {};
  is_last_ = true;
  refuse_all(std::vector<std::size_t>(open_), fault);
}

void SmtpDelivery::accept(std::size_t recipient, const ServerReply& reply) {
  finish(recipient, DeliveryOutcome::kSent,
         {.code = reply.status,
          .text = reply.text,
          .remote_server = relay_,
          .diagnostic = reply.text,
          .diagnostic_type = "smtp",
          .action = DsnAction::kRelayed,
          .keeps_notify = knows_dsn_});
}

void SmtpDelivery::refuse(std::size_t recipient, const DeliveryFault& fault) {
  if (is_for_another(fault)) return note(fault.text);
  settle(recipient, fault);
}

void SmtpDelivery::refuse_all(std::span<const std::size_t> recipients, const DeliveryFault& fault) {
  if (is_for_another(fault)) return note(fault.text);
  for (const std::size_t each : recipients) settle(each, fault);
}

bool SmtpDelivery::is_for_another(const DeliveryFault& fault) const {
  return (fault.is_temporary() || filter_.is_soft()) && (!is_last_ || (fault.may_be_tls && is_tls_optional_));
}

void SmtpDelivery::note(std::string_view text) {
  log_.write(tag_, Severity::kInfo, concat(request_.queue_id, ": ", text));
}

void SmtpDelivery::settle(std::size_t recipient, const DeliveryFault& fault) {
  finish(recipient, fault.is_temporary() ? DeliveryOutcome::kDeferred : DeliveryOutcome::kBounced,
         {.code = fault.status,
          .text = fault.text,
          .remote_server = fault.remote_server,
          .diagnostic = fault.diagnostic,
          .diagnostic_type = fault.diagnostic.empty() ? "" : "smtp"});
}

void SmtpDelivery::finish(std::size_t recipient, DeliveryOutcome outcome, DeliveryStatus status) {
  std::erase(open_, recipient);
  report_.recipients.push_back({.recipient = recipient,
                                .outcome = outcome,
                                .relay = relay_,
                                .connection_uses = connection_uses_,
                                .status = std::move(status),
                                .times = {.start = start_, .connected = connected_, .end = Clock::now()}});
  filter_.apply(request_.purpose, report_.recipients.back());
  log_.write(tag_, Severity::kInfo, delivery_log_line(request_, report_.recipients.back()));
}

}  // namespace mta
