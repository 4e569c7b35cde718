/// The settings of a transport that bear on when its deliveries take place (qmgr(8), SCHEDULER_README).
///
///     Result<TransportRules> rules = TransportRules::read(settings, "smtp", process_limit);
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/queue/concurrency_window.h"

namespace mta {

/// When a message may go ahead of one that is being delivered (SCHEDULER_README, "Preemptive scheduling").
struct PreemptionRules {
  std::int64_t slot_cost = 5;       ///< TRANSPORT_delivery_slot_cost; 0: none may.
  std::int64_t slot_loan = 3;       ///< TRANSPORT_delivery_slot_loan
  std::int64_t slot_discount = 50;  ///< TRANSPORT_delivery_slot_discount, in percent.
  std::int64_t minimum_slots = 3;   ///< TRANSPORT_minimum_delivery_slots
};

/// How many recipients are in memory (SCHEDULER_README), where a message has many.
struct MemoryRules {
  std::size_t limit = 20'000;  ///< TRANSPORT_recipient_limit
  std::size_t extra = 1000;    ///< TRANSPORT_extra_recipient_limit
  std::size_t refill = 100;    ///< TRANSPORT_recipient_refill_limit: as many are read at a time,
  std::chrono::seconds refill_delay{
      5};  ///< TRANSPORT_recipient_refill_delay: or when that has passed, fewer.
};

struct TransportRules {
  std::size_t process_limit = 100;            ///< Deliveries at a time; 0: any number.
  std::size_t recipient_limit = 50;           ///< TRANSPORT_destination_recipient_limit; 0: any number.
  std::chrono::seconds destination_delay{0};  ///< TRANSPORT_destination_rate_delay
  std::chrono::seconds transport_delay{0};    ///< TRANSPORT_transport_rate_delay
  MemoryRules memory = {};
  ConcurrencyRules concurrency = {};
  PreemptionRules preemption = {};

  /// Errors: those of the settings; kConfiguration, for feedback that is none.
  static libconf::Result<TransportRules> read(const libconf::Settings& settings, std::string_view transport,
                                              std::size_t process_limit);
};

}  // namespace mta
