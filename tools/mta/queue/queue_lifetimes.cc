#include "tools/mta/queue/queue_lifetimes.h"

#include <algorithm>
#include <utility>

namespace mta {

using libconf::Result;

Result<QueueLifetimes> QueueLifetimes::read(const libconf::Settings& settings) {
  QueueLifetimes lifetimes;
  for (const auto& [name, value] : {std::pair("minimal_backoff_time", &lifetimes.minimal_backoff),
                                    std::pair("maximal_backoff_time", &lifetimes.maximal_backoff),
                                    std::pair("maximal_queue_lifetime", &lifetimes.longest),
                                    std::pair("bounce_queue_lifetime", &lifetimes.longest_bounce)}) {
    const Result<std::chrono::seconds> setting = settings.get_duration(name);
    if (!setting) return setting.error();
    *value = *setting;
  }
  return lifetimes;
}

bool QueueLifetimes::is_over(QueueTime arrival, std::string_view sender, QueueTime now) const {
  return now - arrival >= (sender.empty() ? longest_bounce : longest);
}

std::chrono::sys_seconds QueueLifetimes::next_attempt(QueueTime arrival, QueueTime now) const {
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - arrival);
  const auto delay = std::max(std::min(age, maximal_backoff), minimal_backoff);
  return std::chrono::time_point_cast<std::chrono::seconds>(now) + delay;
}

}  // namespace mta
