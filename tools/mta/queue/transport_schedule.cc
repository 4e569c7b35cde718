#include "tools/mta/queue/transport_schedule.h"

#include <algorithm>
#include <utility>

#include "libconf/text.h"
#include "libmaps/utf8.h"

namespace mta {
namespace {

/// Between the keys of two jobs: so many can go in between before all get new ones.
constexpr std::int64_t kKeyStep = std::int64_t{1} << 20;

}  // namespace

struct TransportSchedule::Destination {
  Destination(std::string its_key, const ConcurrencyRules& rules) : key(std::move(its_key)), window(rules) {}
  const std::string key;
  ConcurrencyWindow window;
  std::size_t busy = 0;                    ///< Deliveries under way.
  std::size_t left = 0;                    ///< Portions that wait.
  Time suspended_until{};                  ///< By a rate delay.
  bool is_suspended = false;               ///< It stands in suspended_.
  std::map<std::uint64_t, Peer*> peers;    ///< By the number of the job.
  std::map<std::uint64_t, Peer*> waiting;  ///< Those of them that were set aside.
};

/// What of a job is for one destination.
struct TransportSchedule::Peer {
  Job& job;
  Destination& destination;
  std::string nexthop;
  std::vector<std::vector<QueueRecipient>> portions = {};
  std::size_t first = 0;  ///< Of the portions that wait.
  std::size_t left() const { return portions.size() - first; }
};

/// A message, as far as it goes by this transport.
struct TransportSchedule::Job {
  ActiveMessage& message;
  const std::uint64_t number;
  const Time since;
  std::int64_t key = 0;
  std::map<Destination*, std::unique_ptr<Peer>> peers = {};
  std::deque<Peer*> ready = {};  ///< Those that were not set aside; they take turns.
  std::size_t left = 0;          ///< Portions that wait.
  std::size_t unread = 0;        ///< Recipients that may come.
  std::int64_t credit = 0;       ///< Deliveries that were started, less those that others were let ahead for.
  bool is_ready = false;
  bool has_preempted = false;
  /// How many deliveries there may be.
  std::size_t size() const { return left + unread; }
};

TransportSchedule::TransportSchedule(const TransportRules& rules, Witness witness)
    : rules_(rules), witness_(std::move(witness)) {}

TransportSchedule::~TransportSchedule() = default;

std::string TransportSchedule::destination_of(std::string_view nexthop,
                                              const QueueRecipient& recipient) const {
  if (rules_.recipient_limit != 1) return libmaps::fold_ascii(nexthop);
  const std::string_view address = recipient.address;
  return libmaps::fold_ascii(libconf::concat(address.substr(0, address.rfind('@')), "@", nexthop));
}

TransportSchedule::Destination& TransportSchedule::destination(const std::string& key) {
  std::unique_ptr<Destination>& found = destinations_[key];
  if (found == nullptr) found = std::make_unique<Destination>(key, rules_.concurrency);
  return *found;
}

TransportSchedule::Job& TransportSchedule::job(ActiveMessage& message, Time now) {
  std::unique_ptr<Job>& found = jobs_[&message];
  if (found == nullptr) {
    found = std::make_unique<Job>(Job{.message = message, .number = next_number_++, .since = now});
    found->key = order_.empty() ? 0 : order_.rbegin()->first + kKeyStep;
    order_.emplace_hint(order_.end(), found->key, found.get());
  }
  return *found;
}

TransportSchedule::Peer& TransportSchedule::peer(Job& job, Destination& destination,
                                                 std::string_view nexthop) {
  std::unique_ptr<Peer>& found = job.peers[&destination];
  if (found == nullptr) {
    found =
        std::make_unique<Peer>(Peer{.job = job, .destination = destination, .nexthop = std::string(nexthop)});
    destination.peers.emplace(job.number, found.get());
    make_ready(*found);
  }
  return *found;
}

void TransportSchedule::add(ActiveMessage& message, std::string_view nexthop, QueueRecipient recipient,
                            Time now, Company company) {
  Job& job = this->job(message, now);
  Peer& peer = this->peer(job, destination(destination_of(nexthop, recipient)), nexthop);
  const bool is_full = peer.left() == 0 || company == Company::kNobody ||
                       (rules_.recipient_limit > 0 && peer.portions.back().size() >= rules_.recipient_limit);
  if (is_full) {
    peer.portions.emplace_back();
    ++peer.destination.left;
    recount(job, job.left + 1, job.unread);
  }
  peer.portions.back().push_back(std::move(recipient));
}

void TransportSchedule::make_ready(Peer& peer) {
  peer.job.ready.push_back(&peer);
  set_ready(peer.job, true);
}

void TransportSchedule::set_ready(Job& job, bool is_ready) {
  if (job.is_ready == is_ready) return;
  job.is_ready = is_ready;
  if (is_ready) {
    ready_.emplace(job.key, &job);
    if (!job.has_preempted) candidates_[job.size()].emplace(job.number, &job);
    return;
  }
  ready_.erase(job.key);
  const auto candidates = candidates_.find(job.size());
  if (candidates == candidates_.end()) return;
  candidates->second.erase(job.number);
  if (candidates->second.empty()) candidates_.erase(candidates);
}

/// Keeps the job among the candidates of its size.
void TransportSchedule::recount(Job& job, std::size_t left, std::size_t unread) {
  const std::size_t before = job.size();
  job.left = left;
  job.unread = unread;
  if (job.size() == before || !job.is_ready) return;
  const auto candidates = candidates_.find(before);
  if (candidates == candidates_.end()) return;
  auto node = candidates->second.extract(job.number);
  if (candidates->second.empty()) candidates_.erase(candidates);
  if (!node.empty()) candidates_[job.size()].insert(std::move(node));
}

void TransportSchedule::set_unread(const ActiveMessage& message, std::size_t recipients) {
  if (const auto found = jobs_.find(&message); found != jobs_.end())
    recount(*found->second, found->second->left, recipients);
}

ActiveMessage* TransportSchedule::current() const {
  return ready_.empty() ? nullptr : &ready_.begin()->second->message;
}

bool TransportSchedule::is_open(const Destination& destination, Time now) const {
  if (rules_.destination_delay.count() > 0)
    return destination.busy == 0 && destination.suspended_until <= now;
  // Without a limit there is none.
  return rules_.concurrency.limit == 0 || destination.busy < destination.window.size();
}

/// Sets aside what cannot be selected. False: that is all of the job.
bool TransportSchedule::settle(Job& job, Time now) {
  while (!job.ready.empty()) {
    Peer& peer = *job.ready.front();
    if (is_open(peer.destination, now)) return true;
    job.ready.pop_front();
    peer.destination.waiting.emplace(job.number, &peer);
  }
  set_ready(job, false);
  return false;
}

std::optional<Portion> TransportSchedule::next(Time now) {
  if (rules_.process_limit > 0 && busy_ >= rules_.process_limit) return std::nullopt;
  if (now < suspended_until_) return std::nullopt;
  wake_suspended(now);
  while (!ready_.empty()) {
    Job& current = *ready_.begin()->second;
    if (!settle(current, now)) continue;
    Job* const candidate = preempting(current, now);
    if (candidate == nullptr) return take(current, now);
    if (!settle(*candidate, now)) continue;
    current.credit -= static_cast<std::int64_t>(candidate->size()) * rules_.preemption.slot_cost;
    move_ahead(*candidate, current);
    Portion portion = take(*candidate, now);
    portion.is_ahead = true;
    return portion;
  }
  return std::nullopt;
}

/// The job that goes ahead of the current one now. It is the one with the most time in the queue for each of
/// its deliveries, of those that the current job could ever let by.
TransportSchedule::Job* TransportSchedule::preempting(const Job& current, Time now) const {
  const PreemptionRules& rules = rules_.preemption;
  if (rules.slot_cost == 0) return nullptr;
  const std::int64_t slots = current.credit / rules.slot_cost;
  const std::int64_t most = (current.credit + static_cast<std::int64_t>(current.left)) / rules.slot_cost;
  if (most < std::max<std::int64_t>(rules.minimum_slots, 1)) return nullptr;
  Job* best = nullptr;
  double best_score = -1;
  for (const auto& [size, jobs] : candidates_) {
    if (static_cast<std::int64_t>(size) > most) break;
    auto oldest = jobs.begin();
    if (oldest != jobs.end() && oldest->second == &current) ++oldest;
    if (oldest == jobs.end() || size == 0) continue;
    const double score =
        std::chrono::duration<double>(now - oldest->second->since).count() / static_cast<double>(size);
    if (score <= best_score) continue;
    best = oldest->second;
    best_score = score;
  }
  if (best == nullptr) return nullptr;
  const auto needed = static_cast<std::int64_t>(best->size());
  return needed - slots <= needed * rules.slot_discount / 100 + rules.slot_loan ? best : nullptr;
}

void TransportSchedule::set_key(Job& job, std::int64_t key) {
  if (job.is_ready) ready_.erase(job.key);
  order_.erase(job.key);
  job.key = key;
  order_.emplace(key, &job);
  if (job.is_ready) ready_.emplace(key, &job);
}

void TransportSchedule::renumber() {
  std::vector<Job*> jobs;
  for (const auto& [key, job] : order_) jobs.push_back(job);
  order_.clear();
  ready_.clear();
  std::int64_t key = 0;
  for (Job* const job : jobs) {
    job->key = key += kKeyStep;
    order_.emplace_hint(order_.end(), key, job);
    if (job->is_ready) ready_.emplace_hint(ready_.end(), key, job);
  }
}

void TransportSchedule::move_ahead(Job& job, const Job& of) {
  const auto room = [&] {
    const auto place = order_.find(of.key);
    const std::int64_t before = place == order_.begin() ? of.key - 2 * kKeyStep : std::prev(place)->first;
    return std::pair(before, of.key);
  };
  if (const auto [before, behind] = room(); behind - before < 2) renumber();
  const auto [before, behind] = room();
  set_ready(job, false);
  job.has_preempted = true;
  set_key(job, before + (behind - before) / 2);
  set_ready(job, true);
}

Portion TransportSchedule::take(Job& job, Time now) {
  Peer& peer = *job.ready.front();
  Destination& destination = peer.destination;
  Portion portion{.message = &job.message,
                  .nexthop = peer.nexthop,
                  .recipients = std::move(peer.portions[peer.first++]),
                  .destination = destination.key};
  ++destination.busy;
  --destination.left;
  ++busy_;
  if (rules_.transport_delay.count() > 0) suspended_until_ = now + rules_.transport_delay;
  job.ready.pop_front();
  ++job.credit;
  recount(job, job.left - 1, job.unread);
  if (peer.left() > 0) {
    job.ready.push_back(&peer);
  } else {
    remove(peer);
  }
  portion.has_more = !destination.peers.empty();
  return portion;
}

/// Nothing of it waits. Its job goes with the last. REQUIRES: it is not among the ready ones of the job.
void TransportSchedule::remove(Peer& peer) {
  Job& job = peer.job;
  peer.destination.waiting.erase(job.number);
  peer.destination.peers.erase(job.number);
  job.peers.erase(&peer.destination);
  if (job.ready.empty()) set_ready(job, false);
  if (!job.peers.empty()) return;
  order_.erase(job.key);
  jobs_.erase(&job.message);
}

void TransportSchedule::end(Destination& destination, Time now) {
  --destination.busy;
  --busy_;
  if (rules_.destination_delay.count() == 0) return;
  destination.suspended_until = now + rules_.destination_delay;
  destination.is_suspended = true;
  suspended_.emplace(destination.suspended_until, &destination);
}

/// In the words of Postfix: there are programs that draw graphs of them.
void TransportSchedule::tell(std::string_view what, const Destination& destination,
                             std::optional<double> feedback) const {
  if (feedback) witness_(libconf::concat(what, ": feedback ", feedback_text(*feedback)));
  witness_(libconf::concat(what, ": queue ", destination.key, ": ", destination.window.state()));
}

DestinationLoad TransportSchedule::load(const std::string& destination) const {
  const auto found = destinations_.find(destination);
  if (found == destinations_.end()) return {};
  const Destination& at = *found->second;
  return {.deliveries = at.left + at.busy,
          .busy = at.busy,
          .window = at.window.size(),
          .limit = static_cast<std::size_t>(rules_.concurrency.limit),
          .is_alone = destinations_.size() == 1};
}

void TransportSchedule::succeeded(const Portion& portion, Time now) {
  Destination& destination = this->destination(portion.destination);
  end(destination, now);
  // It was given up, and is of use again.
  if (destination.window.is_dead()) destination.window = ConcurrencyWindow(rules_.concurrency);
  const std::optional<double> feedback = destination.window.succeeded(destination.busy);
  if (witness_) tell("qmgr_queue_unthrottle", destination, feedback);
  wake(destination, now);
  release_if_unused(destination);
}

std::optional<std::vector<Portion>> TransportSchedule::failed(const Portion& portion, Time now) {
  Destination& destination = this->destination(portion.destination);
  end(destination, now);
  const std::optional<double> feedback = destination.window.failed();
  if (witness_) tell("qmgr_queue_throttle", destination, feedback);
  std::optional<std::vector<Portion>> withdrawn;
  if (destination.window.is_dead())
    withdraw(destination, withdrawn.emplace());
  else
    wake(destination, now);
  release_if_unused(destination);
  return withdrawn;
}

/// Lets as many of those that were set aside take part again as the destination can take.
void TransportSchedule::wake(Destination& destination, Time now) {
  std::size_t room = 0;
  if (rules_.destination_delay.count() > 0)
    room = is_open(destination, now) ? 1 : 0;
  else if (rules_.concurrency.limit == 0)
    room = destination.waiting.size();
  else if (destination.window.size() > destination.busy)
    room = destination.window.size() - destination.busy;
  for (; room > 0 && !destination.waiting.empty(); --room)
    make_ready(*destination.waiting.extract(destination.waiting.begin()).mapped());
}

void TransportSchedule::wake_suspended(Time now) {
  while (!suspended_.empty() && suspended_.begin()->first <= now) {
    Destination& destination = *suspended_.begin()->second;
    suspended_.erase(suspended_.begin());
    destination.is_suspended = false;
    wake(destination, now);
    release_if_unused(destination);
  }
}

std::optional<TransportSchedule::Time> TransportSchedule::wake_time() const {
  if (jobs_.empty()) return std::nullopt;
  std::optional<Time> time;
  if (!suspended_.empty()) time = suspended_.begin()->first;
  if (suspended_until_ != Time() && !ready_.empty() && (!time || suspended_until_ < *time))
    time = suspended_until_;
  return time;
}

void TransportSchedule::withdraw(Destination& destination, std::vector<Portion>& withdrawn) {
  while (!destination.peers.empty()) {
    Peer& peer = *destination.peers.begin()->second;
    Job& job = peer.job;
    recount(job, job.left - peer.left(), job.unread);
    destination.left -= peer.left();
    for (; peer.left() > 0; ++peer.first)
      withdrawn.push_back({.message = &job.message,
                           .nexthop = peer.nexthop,
                           .recipients = std::move(peer.portions[peer.first]),
                           .destination = destination.key});
    std::erase(job.ready, &peer);
    remove(peer);
  }
}

std::vector<Portion> TransportSchedule::withdraw_all() {
  std::vector<Portion> withdrawn;
  std::vector<Destination*> all;
  for (const auto& [key, destination] : destinations_) all.push_back(destination.get());
  for (Destination* const destination : all) {
    withdraw(*destination, withdrawn);
    release_if_unused(*destination);
  }
  return withdrawn;
}

void TransportSchedule::release_if_unused(Destination& destination) {
  if (destination.peers.empty() && destination.busy == 0 && !destination.is_suspended)
    destinations_.erase(destination.key);
}

}  // namespace mta
