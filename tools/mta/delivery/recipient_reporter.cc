#include "tools/mta/delivery/recipient_reporter.h"

#include <algorithm>

#include "libconf/text.h"
#include "tools/mta/delivery/delivery_log.h"

namespace mta {

using libconf::concat;

RecipientAnswer delivered(std::string text) {
  return {.outcome = DeliveryOutcome::kSent, .status = {.code = "2.0.0", .text = std::move(text)}};
}

RecipientAnswer undelivered(std::string code, std::string text) {
  const bool is_for_ever = code.starts_with('5');
  return {.outcome = is_for_ever ? DeliveryOutcome::kBounced : DeliveryOutcome::kDeferred,
          .status = {.code = std::move(code), .text = std::move(text)}};
}

RecipientAnswer unknown_user(std::string_view user) {
  return undelivered("5.1.1", concat("unknown user: \"", user, "\""));
}

RecipientAnswer misconfigured() { return undelivered("4.3.5", "mail system configuration error"); }

RecipientAnswer no_transport() { return undelivered("4.3.0", "mail transport unavailable"); }

RecipientAnswer unreadable_message() {
  return undelivered("4.3.0", "mail system error: the queue file cannot be read");
}

void RecipientReporter::settle(std::size_t recipient, RecipientAnswer answer) {
  RecipientReport report{
      .recipient = recipient, .outcome = answer.outcome, .relay = relay_, .status = std::move(answer.status)};
  report.times = {.start = start_, .connected = start_, .end = Clock::now()};
  filter_.apply(request_.purpose, report);
  log_.write(tag_, libconf::Severity::kInfo, delivery_log_line(request_, report));
  report_.recipients.push_back(std::move(report));
}

void RecipientReporter::settle_as(std::size_t recipient, const QueueRecipient& expanded,
                                  RecipientAnswer answer) {
  DeliveryRequest shown = request_;
  shown.recipients = {expanded};
  RecipientReport report{.outcome = answer.outcome, .relay = relay_, .status = std::move(answer.status)};
  report.times = {.start = start_, .connected = start_, .end = Clock::now()};
  filter_.apply(request_.purpose, report);
  log_.write(tag_, libconf::Severity::kInfo, delivery_log_line(shown, report));
  report.recipient = recipient;
  if (expanded.address != request_.recipients[recipient].address) report.expanded = expanded.address;
  report_.recipients.push_back(std::move(report));
}

void RecipientReporter::settle_expanded(std::size_t recipient, DsnAction action) {
  DeliveryStatus status{.code = "2.0.0", .text = "alias expanded", .action = action};
  report_.recipients.push_back({.recipient = recipient,
                                .outcome = DeliveryOutcome::kSent,
                                .relay = relay_,
                                .status = std::move(status),
                                .times = {.start = start_, .connected = start_, .end = Clock::now()},
                                .is_delivery = false});
}

void RecipientReporter::settle_silently(std::size_t recipient) {
  report_.recipients.push_back(
      {.recipient = recipient, .outcome = DeliveryOutcome::kSent, .relay = relay_, .is_delivery = false});
}

bool RecipientReporter::has_settled(std::size_t recipient) const {
  return std::any_of(report_.recipients.begin(), report_.recipients.end(),
                     [&](const RecipientReport& each) { return each.recipient == recipient; });
}

bool RecipientReporter::has_deferred(std::size_t recipient) const {
  return std::any_of(report_.recipients.begin(), report_.recipients.end(), [&](const RecipientReport& each) {
    return each.recipient == recipient && each.outcome == DeliveryOutcome::kDeferred;
  });
}

void RecipientReporter::settle_all(const RecipientAnswer& answer) {
  for (std::size_t i = 0; i < request_.recipients.size(); ++i) settle(i, answer);
}

void RecipientReporter::pass_on(std::size_t recipient, DeliveryReport report) {
  for (RecipientReport& each : report.recipients) {
    each.recipient = recipient;
    report_.recipients.push_back(std::move(each));
  }
}

}  // namespace mta
