/// How long mail is tried, and how often (qmgr(8), QSHAPE_README).
///
///     auto lifetimes = QueueLifetimes::read(settings);
///     if (lifetimes->is_over(arrival, sender, now)) bounce();
///     set_time(file, lifetimes->next_attempt(arrival, now));
#pragma once

#include <chrono>
#include <string_view>

#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/queue/queue_id.h"

namespace mta {

struct QueueLifetimes {
  std::chrono::seconds minimal_backoff{300};     ///< minimal_backoff_time
  std::chrono::seconds maximal_backoff{4000};    ///< maximal_backoff_time
  std::chrono::seconds longest{432'000};         ///< maximal_queue_lifetime
  std::chrono::seconds longest_bounce{432'000};  ///< bounce_queue_lifetime, of mail with the null sender.

  /// Errors: those of the settings.
  static libconf::Result<QueueLifetimes> read(const libconf::Settings& settings);

  /// Whether a delivery that fails for now is the last one.
  bool is_over(QueueTime arrival, std::string_view sender, QueueTime now) const;

  /// When mail is tried again: the message's age in the queue is doubled, within limits.
  std::chrono::sys_seconds next_attempt(QueueTime arrival, QueueTime now) const;
};

}  // namespace mta
