/// Destinations that are known to be of no use for a while (qmgr(8), "destination status cache").
///
///     DeadDestinations dead(1000);
///     dead.add("example.com", {.code = "4.4.1", .text = "connect to ...: Connection refused"}, until);
///     if (const DeliveryStatus* why = dead.find("example.com", now)) defer(*why);
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <unordered_map>

#include "tools/mta/delivery/delivery_agent.h"

namespace mta {

/// Not thread-safe.
class DeadDestinations {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Remembers `limit` destinations at most: the last ones.
  explicit DeadDestinations(std::size_t limit) : limit_(limit) {}

  /// REQUIRES: times do not go back.
  void add(const std::string& destination, DeliveryStatus why, Time until);

  /// Why it is of no use; valid until the next call of another function. Null: it may be of use.
  const DeliveryStatus* find(const std::string& destination, Time now);

  /// It is of use again.
  void forget(const std::string& destination) { destinations_.erase(destination); }
  void clear();

 private:
  struct Dead {
    DeliveryStatus why;
    Time until;
  };
  void drop_oldest();

  const std::size_t limit_;
  std::unordered_map<std::string, Dead> destinations_;
  std::deque<std::pair<Time, std::string>> ends_;  ///< In their order; some were forgotten meanwhile.
};

}  // namespace mta
