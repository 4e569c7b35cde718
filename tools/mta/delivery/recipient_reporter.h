/// Tells the log and the queue manager what became of recipients, for agents that are their own relay.
///
///     RecipientReporter reporter(request, log, {.program = "virtual"}, "virtual", filter);
///     reporter.settle(0, {DeliveryOutcome::kSent, {.code = "2.0.0", .text = "delivered to mailbox"}});
///     co_return reporter.take();
#pragma once

#include <chrono>
#include <string>

#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/delivery/delivery_agent.h"
#include "tools/mta/delivery/delivery_status_filter.h"

namespace mta {

/// What became of a recipient, or what a probe found out.
struct RecipientAnswer {
  DeliveryOutcome outcome = DeliveryOutcome::kDeferred;
  DeliveryStatus status = {};
};

RecipientAnswer delivered(std::string text);
/// The first digit of `code` says whether it is for ever.
RecipientAnswer undelivered(std::string code, std::string text);
/// "unknown user: "bob@example.com""
RecipientAnswer unknown_user(std::string_view user);
/// What the log has told the reason for.
RecipientAnswer misconfigured();
/// The agent that is to deliver, or what it does that with, is not there.
RecipientAnswer no_transport();
/// As the log has told too.
RecipientAnswer unreadable_message();

/// Request, log and filter must outlive it.
class RecipientReporter {
 public:
  using Clock = std::chrono::steady_clock;

  RecipientReporter(const DeliveryRequest& request, MailLog& log, LogTag tag, std::string relay,
                    DeliveryStatusFilter& filter)
      : request_(request), log_(log), tag_(tag), relay_(std::move(relay)), filter_(filter) {}

  /// The recipient with that place in the request. The time counts from when the object was made.
  void settle(std::size_t recipient, RecipientAnswer answer);
  /// What a recipient was expanded to.
  void settle_as(std::size_t recipient, const QueueRecipient& expanded, RecipientAnswer answer);
  /// The recipient was expanded, which is what the sender is told of success; the log has no line for it.
  void settle_expanded(std::size_t recipient, DsnAction action);
  /// The recipient was expanded to nothing: it is done, and the log has no line for it.
  void settle_silently(std::size_t recipient);
  bool has_settled(std::size_t recipient) const;
  bool has_deferred(std::size_t recipient) const;
  /// All recipients, together.
  void settle_all(const RecipientAnswer& answer);
  /// Another agent took them over, and has written its log: its report, for `recipient`.
  void pass_on(std::size_t recipient, DeliveryReport report);

  void log(libconf::Severity severity, std::string_view text) { log_.write(tag_, severity, text); }
  DeliveryReport take() { return std::move(report_); }

 private:
  const DeliveryRequest& request_;
  MailLog& log_;
  LogTag tag_;
  std::string relay_;
  DeliveryStatusFilter& filter_;
  Clock::time_point start_ = Clock::now();
  DeliveryReport report_;
};

}  // namespace mta
