/// qmgr(8): takes messages from the queue, has delivery agents deliver them, and sees to what could not be
/// delivered.
///
///     auto manager = QueueManager::create(settings, parts);
///     (*manager)->start();          // with the queue to itself
///     (*manager)->ask("I");         // new mail
///
/// A message is in active/ as long as it is worked at; a recipient that has been dealt with is marked in the
/// file at once. So whatever ends the process, nothing is lost, and what was under way is tried again by the
/// next one.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "libconf/settings.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/delivery/fixed_outcome.h"
#include "tools/mta/delivery/mail_router.h"
#include "tools/mta/delivery/notifier.h"
#include "tools/mta/delivery/transport_table.h"
#include "tools/mta/queue/active_queue.h"
#include "tools/mta/queue/clog_warnings.h"
#include "tools/mta/queue/dead_destinations.h"
#include "tools/mta/queue/fast_flush.h"
#include "tools/mta/queue/queue_lifetimes.h"
#include "tools/mta/queue/queue_scans.h"
#include "tools/mta/queue/recipient_slots.h"
#include "tools/mta/queue/transport_schedule.h"

namespace mta {

/// Not thread-safe. It must live until the event loop has run to its end.
class QueueManager {
 public:
  /// All must outlive it.
  struct Parts {
    asio::io_context& io;
    MailLog& log;
    const QueueDirectory& queue;
    MailRouter& router;
    TransportTable& transports;
    Notifier& notifier;
    /// Deliveries at a time that a transport may have (master(5)); 0: any number.
    std::function<std::size_t(std::string_view transport)> process_limit;
    FastFlush* flush = nullptr;  ///< Is told what is deferred; null: nobody is.
  };

  /// `settings` must outlive it. Errors: those of the settings.
  static libconf::Result<std::unique_ptr<QueueManager>> create(const libconf::Settings& settings,
                                                               const Parts& parts);
  QueueManager(const QueueManager&) = delete;
  QueueManager& operator=(const QueueManager&) = delete;

  /// Goes to work. REQUIRES: nobody else does.
  void start();

  /// Requests, a letter each (qmgr(8), TRIGGERS); others mean nothing. Any time.
  void ask(std::string_view requests);

  /// Mail that has been tried before is in incoming/ again (flush(8)).
  void take_back();

  /// Starts nothing any more: another process may start once this function has returned. Deliveries that are
  /// under way have an EventLoop::Hold each.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr FixedOutcome kDropped{DeliveryOutcome::kSent, "2.0.0", "qmgr"};
  /// A transport, and what waits for it.
  struct Line {
    Line(std::string its_name, const TransportRules& rules, TransportSchedule::Witness witness,
         std::size_t memory_of_dead, asio::io_context& io)
        : name(std::move(its_name)),
          memory(rules.memory),
          slots(memory.limit, memory.extra),
          schedule(rules, std::move(witness)),
          dead(memory_of_dead),
          timer(io) {}
    const std::string name;
    DeliveryAgent* agent = nullptr;
    const MemoryRules memory;
    RecipientSlots slots;
    TransportSchedule schedule;
    DeadDestinations dead;
    asio::steady_timer timer;
    bool is_posted = false;  ///< It will be looked at.
  };

  QueueManager(const Parts& parts, QueueLifetimes lifetimes, ClogWarnings clog_warnings)
      : parts_(parts),
        lifetimes_(lifetimes),
        clog_warnings_(std::move(clog_warnings)),
        scans_(parts.queue, parts.log),
        files_(parts.queue, parts.log),
        deferral_(kDefers, parts.log),
        discard_(kDropped, parts.log),
        scan_timer_(parts.io),
        recovery_timer_(parts.io) {}

  void recover(const std::vector<std::string>& ids);
  void scan_deferred();
  void feed();
  asio::awaitable<void> take_up_due();
  void take_up(const DueMessage& due);
  std::size_t first_room() const;
  std::size_t room(const ActiveMessage& message) const;
  void note_read(ActiveMessage& message);
  void read_more(ActiveMessage& message);
  void refill(Line& line);

  void read_delays(ActiveMessage& message);
  void expire(ActiveMessage& message, QueueRecipient recipient, const NoticeEntry& delay);
  void assign(ActiveMessage& message);
  void assign(ActiveMessage& message, QueueRecipient recipient);
  void return_without(ActiveMessage& message, DeliveryAgent& agent, std::string why,
                      QueueRecipient recipient);
  Line& line(const std::string& transport);
  TransportSchedule::Witness feedback_witness(const std::string& transport,
                                              const TransportRules& rules) const;
  void look_at(Line& line);
  void run(Line& line);
  asio::awaitable<void> deliver(Line* line, DeliveryAgent* agent, Portion portion);
  void end(Line& line, const Portion& portion, const DeliveryReport& report);

  void take(ActiveMessage& message, const DeliveryRequest& request, const DeliveryReport& report);
  bool is_delay_cleared(const ActiveMessage& message, const QueueRecipient& recipient,
                        const RecipientReport& report) const;
  bool settle(ActiveMessage& message, const QueueRecipient& recipient, const RecipientReport& report);
  asio::awaitable<void> release(ActiveMessage& message, std::size_t recipients);
  asio::awaitable<void> finish(ActiveMessage& message);
  asio::awaitable<bool> notify(NoticeKind kind, ActiveMessage& message);
  void erase(ActiveMessage& message);
  void say(Severity severity, std::string_view text) const {
    parts_.log.write({.program = "qmgr"}, severity, text);
  }

  const Parts parts_;
  const QueueLifetimes lifetimes_;
  ClogWarnings clog_warnings_;
  const libconf::Settings* settings_ = nullptr;
  QueueScans scans_;
  ActiveQueue files_;
  FixedOutcomeAgent deferral_;
  FixedOutcomeAgent discard_;
  asio::steady_timer scan_timer_;
  asio::steady_timer recovery_timer_;
  std::size_t message_limit_ = 0;         ///< qmgr_message_active_limit
  std::size_t recipient_limit_ = 0;       ///< qmgr_message_recipient_limit
  std::size_t recipient_minimum_ = 0;     ///< qmgr_message_recipient_minimum
  std::chrono::seconds scan_delay_{0};    ///< queue_run_delay
  bool shows_feedback_ = false;           ///< destination_concurrency_feedback_debug
  std::int64_t initial_concurrency_ = 0;  ///< initial_destination_concurrency
  bool confirms_delay_cleared_ = false;   ///< confirm_delay_cleared
  std::map<std::string, std::unique_ptr<Line>, std::less<>> lines_;
  std::map<const ActiveMessage*, std::unique_ptr<ActiveMessage>> active_;
  std::size_t recipients_ = 0;     ///< In memory, of all messages.
  std::uint64_t next_number_ = 0;  ///< Of a message.
  bool is_started_ = false;
  bool is_stopped_ = false;
  bool is_feeding_ = false;
};

}  // namespace mta
