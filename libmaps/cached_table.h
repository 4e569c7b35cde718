/// Remembers what a table answered, for a while: a bounded cache of results, found and not found alike.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "libmaps/table.h"

namespace libmaps {

/// How much is remembered, and for how long. Nothing, where one of them is 0.
struct CacheLimits {
  std::size_t size = 0;         ///< Results; the one that was used last longest ago makes room.
  std::chrono::seconds ttl{0};  ///< Counted from the answer, not from its last use.
};

using CacheClock = std::chrono::steady_clock;

/// Asks `inner` for what is not remembered. What `inner` could not tell is never remembered. `now` is for
/// tests. REQUIRES: both limits are positive.
std::unique_ptr<Table> cache_lookups(std::unique_ptr<Table> inner, CacheLimits limits,
                                     std::function<CacheClock::time_point()> now = CacheClock::now);

}  // namespace libmaps
