/// The deliveries that wait for a transport, and the one that is next (SCHEDULER_README).
///
///     TransportSchedule schedule(rules);
///     schedule.add(message, nexthop, recipient, now);
///     while (auto portion = schedule.next(now)) start(*portion);
///     schedule.succeeded(portion, now);                    // or:
///     if (auto withdrawn = schedule.failed(portion, now)) defer(*withdrawn);
///
/// Messages are served in the order in which they came (a job each), within a message its destinations in
/// turn (peers), as far as destinations take more deliveries. A message with few recipients may go ahead of
/// one with many, as far as that one has earned the delay by its own deliveries. What cannot be selected is
/// set aside until its destination can take it, so that each step takes the same time however much waits.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tools/mta/queue/queue_message.h"
#include "tools/mta/queue/transport_rules.h"

namespace mta {

/// A message whose deliveries are scheduled; the schedule only tells messages apart.
struct ActiveMessage;

/// What one delivery takes: some recipients of a message, which have the next hop in common.
struct Portion {
  ActiveMessage* message;
  std::string nexthop;
  std::vector<QueueRecipient> recipients;
  std::string destination;  ///< For the schedule.
  bool has_more = false;    ///< More waits for the destination.
  bool is_ahead = false;    ///< The message has just gone ahead of others.
};

/// How much of the queue a destination takes.
struct DestinationLoad {
  std::size_t deliveries = 0;  ///< That wait or are under way.
  std::size_t busy = 0;        ///< Under way.
  std::size_t window = 0;      ///< As many may be.
  std::size_t limit = 0;       ///< TRANSPORT_destination_concurrency_limit; 0: none.
  bool is_alone = true;        ///< The transport has mail for no other destination.
};

/// Not thread-safe.
class TransportSchedule {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Is told how a destination's concurrency changes (destination_concurrency_feedback_debug).
  using Witness = std::function<void(std::string_view text)>;

  explicit TransportSchedule(const TransportRules& rules, Witness witness = {});
  TransportSchedule(const TransportSchedule&) = delete;
  TransportSchedule& operator=(const TransportSchedule&) = delete;
  ~TransportSchedule();

  /// What deliveries to the same destination are known by: the next hop, or where a delivery is for one
  /// recipient, that at the next hop (postconf(5), default_destination_recipient_limit).
  std::string destination_of(std::string_view nexthop, const QueueRecipient& recipient) const;

  /// A recipient waits from now on: with others of the message, or for a delivery of its own.
  enum class Company : std::uint8_t { kOthers, kNobody };
  void add(ActiveMessage& message, std::string_view nexthop, QueueRecipient recipient, Time now,
           Company company = Company::kOthers);

  /// So many recipients of the message, if it waits here, have not been read: it is no small one.
  void set_unread(const ActiveMessage& message, std::size_t recipients);

  /// The message whose turn it is; null: none can go on.
  ActiveMessage* current() const;

  /// Of a destination, as destination_of() has it.
  DestinationLoad load(const std::string& destination) const;

  /// The delivery that is to start now, until succeeded() or failed(). Nothing: none may.
  std::optional<Portion> next(Time now);

  /// It has ended.
  void succeeded(const Portion& portion, Time now);

  /// It has ended because the destination is of no use. If it is one failure too many, returns what waited
  /// for that destination, and does so no more.
  std::optional<std::vector<Portion>> failed(const Portion& portion, Time now);

  /// When to ask next() again although nothing has happened; nothing: only then.
  std::optional<Time> wake_time() const;

  /// All that waits, which does so no more.
  std::vector<Portion> withdraw_all();

 private:
  struct Job;
  struct Destination;
  struct Peer;

  Destination& destination(const std::string& key);
  Peer& peer(Job& job, Destination& destination, std::string_view nexthop);
  Job& job(ActiveMessage& message, Time now);
  void make_ready(Peer& peer);
  void set_ready(Job& job, bool is_ready);
  void recount(Job& job, std::size_t left, std::size_t unread);
  bool is_open(const Destination& destination, Time now) const;
  bool settle(Job& job, Time now);
  Job* preempting(const Job& current, Time now) const;
  void move_ahead(Job& job, const Job& of);
  void set_key(Job& job, std::int64_t key);
  void renumber();
  Portion take(Job& job, Time now);
  void remove(Peer& peer);
  void end(Destination& destination, Time now);
  void tell(std::string_view what, const Destination& destination, std::optional<double> feedback) const;
  void wake(Destination& destination, Time now);
  void wake_suspended(Time now);
  void withdraw(Destination& destination, std::vector<Portion>& withdrawn);
  void release_if_unused(Destination& destination);

  const TransportRules rules_;
  const Witness witness_;
  std::unordered_map<std::string, std::unique_ptr<Destination>> destinations_;
  std::unordered_map<const ActiveMessage*, std::unique_ptr<Job>> jobs_;
  std::map<std::int64_t, Job*> order_;  ///< The scheduler's job list, by Job::key.
  std::map<std::int64_t, Job*> ready_;  ///< Those that may have something to select.
  /// Those of them that may go ahead of others, by how many deliveries they have and when they came.
  std::map<std::size_t, std::map<std::uint64_t, Job*>> candidates_;
  std::set<std::pair<Time, Destination*>> suspended_;  ///< By rate delays.
  Time suspended_until_{};                             ///< The transport, likewise.
  std::size_t busy_ = 0;                               ///< Deliveries under way.
  std::uint64_t next_number_ = 0;                      ///< Of a job.
};

}  // namespace mta
