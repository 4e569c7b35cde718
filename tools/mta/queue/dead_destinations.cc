#include "tools/mta/queue/dead_destinations.h"

#include <utility>

namespace mta {

void DeadDestinations::drop_oldest() {
  const auto found = destinations_.find(ends_.front().second);
  if (found != destinations_.end() && found->second.until == ends_.front().first) destinations_.erase(found);
  ends_.pop_front();
}

void DeadDestinations::add(const std::string& destination, DeliveryStatus why, Time until) {
  destinations_[destination] = {std::move(why), until};
  ends_.emplace_back(until, destination);
  if (ends_.size() > limit_) drop_oldest();
}

const DeliveryStatus* DeadDestinations::find(const std::string& destination, Time now) {
  while (!ends_.empty() && ends_.front().first <= now) drop_oldest();
  const auto found = destinations_.find(destination);
  return found == destinations_.end() ? nullptr : &found->second.why;
}

void DeadDestinations::clear() {
  destinations_.clear();
  ends_.clear();
}

}  // namespace mta
