/// Connections to servers that have the same data: one is used until it fails, then another takes its place.
///
///     HostPool<Session> pool(hosts, {}, [&](const DatabaseHost& host) { return connect(host); });
///     bool answered = pool.try_each([&](Session& session) { return session.ask(key, answer); });
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "libmaps/database_hosts.h"

namespace libmaps {

/// mysql_table(5), pgsql_table(5).
struct HostIntervals {
  std::chrono::seconds retry{60};  ///< A host that failed is left alone for so long.
  std::chrono::seconds idle{60};   ///< A connection that was not used for so long is closed.
};

/// What became of an attempt to use a connection.
enum class Attempt {
  kDone,     ///< There is an answer, whatever it is.
  kRefused,  ///< The server works, but not for this request; another may have what this one lacks.
  kLost,     ///< The connection, or the server, is no more.
  kUnusable  ///< The same, but a new connection to this server would not do better: it does not answer in
             ///< time.
};

/// `Session` is an open connection; `Host` says where to, and whether that is a UNIX-domain socket
/// (`is_local`). Not thread-safe.
template <class Session, class Host = DatabaseHost>
class HostPool {
 public:
  using Clock = std::chrono::steady_clock;
  /// Null when the host cannot be reached; the function has told why.
  using Connect = std::function<std::unique_ptr<Session>(const Host&)>;

  /// `now` is for tests.
  HostPool(std::vector<Host> hosts, HostIntervals intervals, Connect connect,
           std::function<Clock::time_point()> now = Clock::now)
      : intervals_(intervals), connect_(std::move(connect)), now_(std::move(now)) {
    for (Host& host : hosts) slots_.push_back({.host = std::move(host)});
  }

  /// Calls `attempt` (Session& -> Attempt) with one connection after the other until it is done. Those that
  /// are open come first, then UNIX-domain sockets, then TCP, each in random order. A host whose connection
  /// was lost gets one more chance with a new one, as servers close those that they find idle. False: no host
  /// has an answer, or all that are left failed too short a time ago.
  template <class Function>
  bool try_each(const Function& attempt) {
    close_idle();
    for (Slot* slot : in_order()) {
      const bool is_new = slot->session == nullptr;
      if (is_new && !open(*slot)) continue;
      Attempt result = use(*slot, attempt);
      if (result == Attempt::kLost && !is_new && open(*slot)) result = use(*slot, attempt);
      if (result == Attempt::kDone) return true;
    }
    return false;
  }

 private:
  struct Slot {
    Host host;
    std::unique_ptr<Session> session = nullptr;
    Clock::time_point last_use = {};
    Clock::time_point retry_at = {};
  };

  void close_idle() {
    const Clock::time_point now = now_();
    for (Slot& slot : slots_)
      if (slot.session && now - slot.last_use >= intervals_.idle) slot.session.reset();
  }

  std::vector<Slot*> in_order() {
    std::vector<Slot*> order;
    const Clock::time_point now = now_();
    for (Slot& slot : slots_)
      if (slot.session || now >= slot.retry_at) order.push_back(&slot);
    std::shuffle(order.begin(), order.end(), random_);
    const auto rank = [](const Slot* slot) { return slot->session ? 0 : slot->host.is_local ? 1 : 2; };
    std::stable_sort(order.begin(), order.end(),
                     [&](const Slot* a, const Slot* b) { return rank(a) < rank(b); });
    return order;
  }

  bool open(Slot& slot) {
    slot.session = connect_(slot.host);
    if (!slot.session) slot.retry_at = now_() + intervals_.retry;
    return slot.session != nullptr;
  }

  template <class Function>
  Attempt use(Slot& slot, const Function& attempt) {
    const Attempt result = attempt(*slot.session);
    slot.last_use = now_();
    if (result == Attempt::kLost || result == Attempt::kUnusable) {
      slot.session.reset();
      slot.retry_at = slot.last_use + intervals_.retry;
    }
    return result;
  }

  std::vector<Slot> slots_;
  HostIntervals intervals_;
  Connect connect_;
  std::function<Clock::time_point()> now_;
  std::mt19937 random_{std::random_device{}()};
};

}  // namespace libmaps
