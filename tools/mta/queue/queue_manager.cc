#include "tools/mta/queue/queue_manager.h"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/address/verp.h"
#include "tools/mta/daemon/event_loop.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;
using namespace std::chrono_literals;

/// Messages that are taken up before others have their turn.
constexpr int kTurn = 20;

/// Before the next look for what another process was still at work at.
constexpr auto kRecoveryPause = 1s;

std::string suspended(const DeliveryStatus& why) {
  return concat(why.code, " delivery temporarily suspended: ", why.text);
}

}  // namespace

Result<std::unique_ptr<QueueManager>> QueueManager::create(const libconf::Settings& settings,
                                                           const Parts& parts) {
  const Result<QueueLifetimes> lifetimes = QueueLifetimes::read(settings);
  if (!lifetimes) return lifetimes.error();
  Result<ClogWarnings> clog_warnings = ClogWarnings::read(settings);
  if (!clog_warnings) return clog_warnings.error();
  std::unique_ptr<QueueManager> manager(new QueueManager(parts, *lifetimes, std::move(*clog_warnings)));
  manager->settings_ = &settings;
  for (const auto& [name, value] :
       {std::pair("qmgr_message_active_limit", &manager->message_limit_),
        std::pair("qmgr_message_recipient_limit", &manager->recipient_limit_),
        std::pair("qmgr_message_recipient_minimum", &manager->recipient_minimum_)}) {
    const Result<std::int64_t> setting = settings.get_int(name);
    if (!setting) return setting.error();
    *value = static_cast<std::size_t>(*setting);
  }
  if (manager->recipient_limit_ < manager->message_limit_) {
    manager->say(Severity::kWarning,
                 "qmgr_message_recipient_limit is smaller than qmgr_message_active_limit - "
                 "adjusting qmgr_message_recipient_limit");
    manager->recipient_limit_ = manager->message_limit_;
  }
  const Result<std::chrono::seconds> delay = settings.get_duration("queue_run_delay");
  if (!delay) return delay.error();
  manager->scan_delay_ = *delay;
  for (const auto& [name, value] :
       {std::pair("confirm_delay_cleared", &manager->confirms_delay_cleared_),
        std::pair("destination_concurrency_feedback_debug", &manager->shows_feedback_)}) {
    const Result<bool> setting = settings.get_bool(name);
    if (!setting) return setting.error();
    *value = *setting;
  }
  const Result<std::int64_t> initial = settings.get_int("initial_destination_concurrency");
  if (!initial) return initial.error();
  manager->initial_concurrency_ = *initial;
  return manager;
}

void QueueManager::start() {
  is_started_ = true;
  recover(files_.left_behind());
  scan_deferred();
  feed();
}

/// What another process has left becomes ours; what it is still at work at does so later.
void QueueManager::recover(const std::vector<std::string>& ids) {
  std::vector<std::string> busy = files_.recover(ids);
  take_back();
  if (busy.empty()) return;
  recovery_timer_.expires_after(kRecoveryPause);
  recovery_timer_.async_wait([this, ids = std::move(busy)](const asio::error_code& failure) {
    if (!failure && !is_stopped_) recover(ids);
  });
}

void QueueManager::scan_deferred() {
  scans_.want(Queue::kDeferred);
  feed();
  scan_timer_.expires_after(scan_delay_);
  scan_timer_.async_wait([this](const asio::error_code& failure) {
    if (!failure && !is_stopped_) scan_deferred();
  });
}

void QueueManager::ask(std::string_view requests) {
  const auto has = [&](char letter) { return requests.find(letter) != std::string_view::npos; };
  if (has('F'))
    for (const auto& [name, line] : lines_) line->dead.clear();
  if (has('A')) scans_.ignore_times();
  if (has('D')) scans_.want(Queue::kDeferred);
  if (has('I') || has('W')) scans_.want(Queue::kIncoming);
  feed();
}

void QueueManager::take_back() {
  scans_.want_again();
  feed();
}

void QueueManager::feed() {
  if (!is_started_ || is_stopped_ || is_feeding_ || !scans_.has_work() || active_.size() >= message_limit_)
    return;
  is_feeding_ = true;
  asio::co_spawn(parts_.io, take_up_due(), asio::detached);
}

asio::awaitable<void> QueueManager::take_up_due() {
  for (int count = 0; !is_stopped_ && scans_.has_work() && active_.size() < message_limit_;) {
    if (const std::optional<DueMessage> due = scans_.next()) {
      take_up(*due);
      if (++count % kTurn != 0) continue;
    }
    co_await asio::post(parts_.io, asio::use_awaitable);
  }
  is_feeding_ = false;
}

/// How many recipients of a message are read at first, when it is not known where they go.
std::size_t QueueManager::first_room() const {
  const std::size_t room = recipient_limit_ > recipients_ ? recipient_limit_ - recipients_ : 0;
  return std::max(room, recipient_minimum_);
}

void QueueManager::take_up(const DueMessage& due) {
  std::unique_ptr<ActiveMessage> taken = files_.take_up(due, first_room());
  if (taken == nullptr) return;
  ActiveMessage& message = *taken;
  message.number = next_number_++;
  active_.emplace(&message, std::move(taken));
  const DeliveryRequest& request = message.request;
  say(Severity::kInfo, concat(request.queue_id, ": from=<", quote_address(request.sender),
                              ">, size=", std::to_string(message.sizes->content_size),
                              ", nrcpt=", std::to_string(message.sizes->recipient_count), " (queue active)"));
  message.is_expired =
      message.is_forced_to_expire || lifetimes_.is_over(request.arrival, request.sender, request.activated);
  if (message.is_forced_to_expire && !message.is_fresh) read_delays(message);
  if (!message.is_fresh)
    if (const Result<void> forgotten = parts_.notifier.forget(NoticeKind::kDelay, request.queue_id);
        !forgotten)
      say(Severity::kWarning, forgotten.error().message);
  ++message.waiting;
  assign(message);
  files_.close(message);
  asio::co_spawn(parts_.io, release(message, 1), asio::detached);
}

/// Finds out where the recipients go that have been read, and has them wait for it.
void QueueManager::assign(ActiveMessage& message) {
  std::vector<QueueRecipient> recipients = std::exchange(message.recipients, {});
  // As Postfix has it: those of a domain one after the other.
  std::sort(recipients.begin(), recipients.end(), [](const QueueRecipient& a, const QueueRecipient& b) {
    const auto domain = [](const QueueRecipient& each) {
      return std::string_view(each.address).substr(each.address.rfind('@') + 1);
    };
    return std::pair(domain(a), std::string_view(a.address)) <
           std::pair(domain(b), std::string_view(b.address));
  });
  // The first stands for all.
  if (!message.redirect.empty() && !recipients.empty()) {
    recipients.resize(1);
    message.rest.reset();
  }
  recipients_ += recipients.size();
  message.waiting += recipients.size();
  for (QueueRecipient& recipient : recipients) assign(message, std::move(recipient));
  note_read(message);
}

void QueueManager::assign(ActiveMessage& message, QueueRecipient recipient) {
  if (const auto delay = message.delays.find(recipient.offset); delay != message.delays.end())
    return expire(message, std::move(recipient), delay->second);
  if (message.is_forced_to_expire)
    return return_without(message, deferral_, "4.7.0 message is administratively expired",
                          std::move(recipient));
  MailRoute route = parts_.router.route({.sender = message.request.sender,
                                         .filter = message.filter,
                                         .redirect = message.redirect,
                                         .is_urgent = message.is_urgent},
                                        recipient);
  // A notification that could not be delivered to the postmaster: nobody is told of that.
  if (route.is_discarded)
    return return_without(message, discard_, "undeliverable postmaster notification discarded",
                          std::move(recipient));
  Line& line = this->line(route.transport);
  if (line.agent == nullptr)
    return return_without(message, deferral_, "4.3.0 mail transport unavailable", std::move(recipient));
  const std::string destination = line.schedule.destination_of(route.nexthop, recipient);
  if (const DeliveryStatus* const why = line.dead.find(destination, Clock::now()))
    return return_without(message, deferral_, suspended(*why), std::move(recipient));
  using Company = TransportSchedule::Company;
  line.schedule.add(message, route.nexthop, std::move(recipient), Clock::now(),
                    message.has_own_senders() ? Company::kNobody : Company::kOthers);
  line.slots.add(message);
  for (const std::string& warning : clog_warnings_.check(
           line.name, destination, line.schedule.load(destination), active_.size(), Clock::now()))
    say(Severity::kWarning, warning);
  look_at(line);
}

/// A delivery that needs no transport: what becomes of it is known.
void QueueManager::return_without(ActiveMessage& message, DeliveryAgent& agent, std::string why,
                                  QueueRecipient recipient) {
  Portion portion{.message = &message, .nexthop = std::move(why), .recipients = {}, .destination = {}};
  portion.recipients.push_back(std::move(recipient));
  asio::co_spawn(parts_.io, deliver(nullptr, &agent, std::move(portion)), asio::detached);
}

QueueManager::Line& QueueManager::line(const std::string& transport) {
  const auto found = lines_.find(transport);
  if (found != lines_.end()) return *found->second;
  Result<TransportRules> rules = TransportRules::read(*settings_, transport, parts_.process_limit(transport));
  if (!rules) {
    say(Severity::kWarning, concat("transport ", transport, ": ", rules.error().message));
    rules = TransportRules();
  }
  auto line = std::make_unique<Line>(transport, *rules, feedback_witness(transport, *rules), recipient_limit_,
                                     parts_.io);
  line->agent = parts_.transports.find(transport);
  return *lines_.emplace(transport, std::move(line)).first->second;
}

TransportSchedule::Witness QueueManager::feedback_witness(const std::string& transport,
                                                          const TransportRules& rules) const {
  if (!shows_feedback_) return {};
  const auto concurrency = static_cast<int>(initial_concurrency_);
  for (const ConcurrencyFeedback* const each : {&rules.concurrency.positive, &rules.concurrency.negative})
    say(Severity::kInfo,
        concat(transport, ": ", each->parameter, " feedback type ", each->is_divided ? "1" : "0",
               " value at ", std::to_string(concurrency), ": ", feedback_text(each->at(concurrency))));
  return [this](std::string_view text) { say(Severity::kInfo, text); };
}

/// Soon: more may come until then.
void QueueManager::look_at(Line& line) {
  if (std::exchange(line.is_posted, true)) return;
  asio::post(parts_.io, [this, &line] {
    line.is_posted = false;
    if (!is_stopped_) run(line);
  });
}

void QueueManager::run(Line& line) {
  const auto now = Clock::now();
  for (refill(line); std::optional<Portion> portion = line.schedule.next(now); refill(line)) {
    if (portion->is_ahead) line.slots.go_ahead(*portion->message);
    asio::co_spawn(parts_.io, deliver(&line, line.agent, std::move(*portion)), asio::detached);
  }
  const std::optional<Clock::time_point> time = line.schedule.wake_time();
  if (!time || *time <= now) return;
  line.timer.expires_at(*time);
  line.timer.async_wait([this, &line](const asio::error_code& failure) {
    if (!failure) look_at(line);
  });
}

asio::awaitable<void> QueueManager::deliver(Line* line, DeliveryAgent* agent, Portion portion) {
  const EventLoop::Hold hold;
  ActiveMessage& message = *portion.message;
  DeliveryRequest request = message.request;
  if (line != nullptr) request.transport = line->name;
  request.nexthop = std::move(portion.nexthop);
  request.recipients = std::move(portion.recipients);
  request.has_more_mail = portion.has_more;
  if (message.has_own_senders()) {
    const QueueRecipient& only = request.recipients.front();
    request.sender = verp_sender(request.sender, message.verp_delimiters,
                                 only.original.empty() ? only.address : only.original);
  }
  DeliveryReport report;
  if (const Result<void> opened = files_.open(message); opened) {
    report = co_await agent->deliver(request, message.file.get());
  } else {
    // postsuper(1) may have removed it.
    say(Severity::kWarning, opened.error().message);
  }
  take(message, request, report);
  if (line != nullptr) {
    line->slots.remove(message, request.recipients.size());
    end(*line, portion, report);
  }
  files_.close(message);
  recipients_ -= request.recipients.size();
  co_await release(message, request.recipients.size());
}

/// What it means for other deliveries.
void QueueManager::end(Line& line, const Portion& portion, const DeliveryReport& report) {
  const auto now = Clock::now();
  if (!report.is_destination_dead || report.recipients.empty()) {
    line.schedule.succeeded(portion, now);
    line.dead.forget(portion.destination);
  } else if (auto withdrawn = line.schedule.failed(portion, now)) {
    const DeliveryStatus& why = report.recipients.front().status;
    line.dead.add(portion.destination, why, now + lifetimes_.minimal_backoff);
    for (Portion& each : *withdrawn) {
      line.slots.remove(*each.message, each.recipients.size());
      each.nexthop = suspended(why);
      asio::co_spawn(parts_.io, deliver(nullptr, &deferral_, std::move(each)), asio::detached);
    }
  }
  look_at(line);
}

void QueueManager::stop() {
  is_stopped_ = true;
  scan_timer_.cancel();
  recovery_timer_.cancel();
  for (const auto& [name, line] : lines_) {
    line->timer.cancel();
    for (const Portion& each : line->schedule.withdraw_all()) {
      each.message->waiting -= each.recipients.size();
      each.message->is_given_up = true;
    }
  }
  for (const auto& [key, message] : active_) {
    if (message->rest) message->is_given_up = true;
    if (message->users > 0) files_.lock(*message);
  }
}

}  // namespace mta
