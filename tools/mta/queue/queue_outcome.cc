// What becomes of a message when its deliveries have ended: the second half of queue_manager.h.
#include <algorithm>
#include <asio/use_awaitable.hpp>
#include <ctime>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/daemon/event_loop.h"
#include "tools/mta/delivery/notice_logs.h"
#include "tools/mta/queue/queue_manager.h"

namespace mta {

using libconf::concat;
using libconf::Result;

void QueueManager::take(ActiveMessage& message, const DeliveryRequest& request,
                        const DeliveryReport& report) {
  std::vector<bool> is_settled(request.recipients.size(), false);
  std::vector<bool> is_told(request.recipients.size(), false);
  for (const RecipientReport& each : report.recipients) {
    const std::size_t place = each.recipient;
    if (place >= is_settled.size()) continue;
    QueueRecipient recipient = request.recipients[place];
    if (!each.expanded.empty()) recipient.address = each.expanded;
    // Of one that was expanded all must be over.
    const bool is_over = settle(message, recipient, each);
    is_settled[place] = is_over && (is_settled[place] || !is_told[place]);
    is_told[place] = true;
  }
  const bool is_all = std::find(is_settled.begin(), is_settled.end(), false) == is_settled.end();
  if (!is_all) message.has_deferred = true;
  // A message that is about to be removed need not be written to before.
  const bool is_last = is_all && message.waiting == request.recipients.size() && !message.rest;
  const bool has_news =
      message.has_deferred || message.has_failed || message.has_traces || message.has_probes;
  if (is_last && message.is_fresh && !has_news && !message.is_given_up) return;
  for (std::size_t i = 0; i < is_settled.size(); ++i)
    if (is_settled[i])
      if (const Result<void> marked = files_.mark_done(message, request.recipients[i]); !marked)
        say(Severity::kWarning, marked.error().message);
}

/// Why mail is late that is to expire now: the sender gets to know that.
void QueueManager::read_delays(ActiveMessage& message) {
  const Result<NoticeLogs> logs = NoticeLogs::open(parts_.queue, *settings_);
  if (!logs) return say(Severity::kWarning, logs.error().message);
  Result<std::vector<NoticeEntry>> entries = logs->read(NoticeKind::kDelay, message.request.queue_id);
  if (!entries) return say(Severity::kWarning, entries.error().message);
  for (NoticeEntry& each : *entries) message.delays[each.offset] = std::move(each);
}

/// A recipient that is not tried once more.
void QueueManager::expire(ActiveMessage& message, QueueRecipient recipient, const NoticeEntry& delay) {
  DeliveryRequest request;
  request.recipients.push_back(std::move(recipient));
  DeliveryReport report;
  report.recipients.push_back({.outcome = DeliveryOutcome::kDeferred,
                               .status = {.code = delay.status,
                                          .text = delay.reason,
                                          .remote_server = delay.server,
                                          .diagnostic = delay.diagnostic,
                                          .diagnostic_type = delay.diagnostic_type}});
  take(message, request, report);
  --recipients_;
  --message.waiting;
}

/// The sender was told that the message is late, and it is not any more.
bool QueueManager::is_delay_cleared(const ActiveMessage& message, const QueueRecipient& recipient,
                                    const RecipientReport& report) const {
  return confirms_delay_cleared_ && message.warning_time == ActiveMessage::kWarned && report.is_delivery &&
         (recipient.notify == 0 || (recipient.notify & kNotifyDelay) != 0);
}

/// Writes down what the sender is to be told. False: the recipient is tried again.
bool QueueManager::settle(ActiveMessage& message, const QueueRecipient& recipient,
                          const RecipientReport& report) {
  const auto record = [&](NoticeKind kind) {
    const Result<void> recorded = parts_.notifier.record(kind, message.request.queue_id, recipient, report);
    if (!recorded) say(Severity::kWarning, recorded.error().message);
    return recorded.has_value();
  };
  // What would become of it is all that is asked for.
  if (message.is_probe()) return message.has_probes = record(NoticeKind::kProbe);
  // The first delivery is reported, whatever came of it.
  const bool is_traced = (message.trace_flags & kTraceDelivery) != 0 && message.is_fresh;
  if (is_traced && record(NoticeKind::kTrace)) message.has_traces = true;
  switch (report.outcome) {
    case DeliveryOutcome::kSent:
      if (is_delay_cleared(message, recipient, report) && record(NoticeKind::kTrace))
        message.has_traces = true;
      if (!is_traced && !report.status.keeps_notify && (recipient.notify & kNotifySuccess) != 0 &&
          record(NoticeKind::kTrace))
        message.has_traces = true;
      return true;
    case DeliveryOutcome::kBounced:
      if (!record(NoticeKind::kFailure)) return false;
      message.has_failed = true;
      return true;
    case DeliveryOutcome::kDeferred:
      if (message.is_expired && record(NoticeKind::kFailure)) {
        message.has_failed = message.has_expired = true;
        return true;
      }
      record(NoticeKind::kDelay);
      if (parts_.flush != nullptr)
        static_cast<void>(
            parts_.flush->add(std::string_view(recipient.address).substr(recipient.address.rfind('@') + 1),
                              message.request.queue_id));
      return false;
  }
  return false;
}

/// So many recipients of the message are over. After the last one the next are read, or the message is
/// finished.
asio::awaitable<void> QueueManager::release(ActiveMessage& message, std::size_t recipients) {
  message.waiting -= recipients;
  while (message.waiting == 0 && message.rest && !message.is_given_up) read_more(message);
  if (message.waiting == 0) co_await finish(message);
}

asio::awaitable<bool> QueueManager::notify(NoticeKind kind, ActiveMessage& message) {
  const NoticeSubject subject = message.subject();
  if (const Result<void> opened = files_.open(message); !opened) {
    say(Severity::kWarning, opened.error().message);
    files_.close(message);
    co_return false;
  }
  const bool is_sent = co_await parts_.notifier.send(kind, subject, message.file.get());
  files_.close(message);
  co_return is_sent;
}

asio::awaitable<void> QueueManager::finish(ActiveMessage& message) {
  const EventLoop::Hold hold;
  const std::string& id = message.request.queue_id;
  if (message.is_given_up) {
    erase(message);
    co_return;
  }
  ++message.waiting;
  if (message.has_expired)
    say(Severity::kInfo, concat(id, ": from=<", quote_address(message.request.sender),
                                ">, status=", message.is_forced_to_expire ? "force-expired" : "expired",
                                ", returned to sender"));
  bool is_kept = message.has_deferred;
  // What the last process wrote down may not have been sent.
  if (message.has_failed || !message.is_fresh) {
    const bool is_sent = co_await notify(NoticeKind::kFailure, message);
    is_kept = is_kept || !is_sent;
  }
  for (const auto& [kind, has_any] : {std::pair(NoticeKind::kTrace, message.has_traces),
                                      std::pair(NoticeKind::kProbe, message.has_probes)}) {
    if (!has_any && (message.is_fresh || message.is_probe() != (kind == NoticeKind::kProbe))) continue;
    const bool is_sent = co_await notify(kind, message);
    is_kept = is_kept || !is_sent;
  }
  if (is_kept && message.has_deferred && message.warning_time > 0 &&
      std::time(nullptr) >= message.warning_time) {
    const bool is_sent = co_await notify(NoticeKind::kDelay, message);
    if (is_sent) files_.mark_warned(message);
  }
  if (is_kept) {
    files_.put_off(message, lifetimes_.next_attempt(message.request.arrival, queue_time_now()));
  } else {
    files_.remove(message);
    if (!message.is_fresh)
      if (const Result<void> forgotten = parts_.notifier.forget(NoticeKind::kDelay, id); !forgotten)
        say(Severity::kWarning, forgotten.error().message);
  }
  erase(message);
}

void QueueManager::erase(ActiveMessage& message) {
  files_.release(message);
  for (const auto& [name, line] : lines_) line->slots.forget(message);
  active_.erase(&message);
  feed();
}

}  // namespace mta
