/// Delivery agents that say the same for all mail: error(8), also as retry, and discard(8). The next hop is
/// what they say, "5.1.2 never heard".
///
///     FixedOutcomeAgent agent(kBounces, log);
#pragma once

#include <string>
#include <string_view>

#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/delivery/delivery_agent.h"
#include "tools/mta/delivery/delivery_status_filter.h"

namespace mta {

struct FixedOutcome {
  DeliveryOutcome outcome;
  std::string_view code;     ///< Where the next hop has none.
  std::string_view program;  ///< In the log.
};

inline constexpr FixedOutcome kBounces{DeliveryOutcome::kBounced, "5.0.0", "error"};
inline constexpr FixedOutcome kDefers{DeliveryOutcome::kDeferred, "4.0.0", "error"};
inline constexpr FixedOutcome kDiscards{DeliveryOutcome::kSent, "2.0.0", "discard"};

class FixedOutcomeAgent final : public DeliveryAgent {
 public:
  FixedOutcomeAgent(FixedOutcome outcome, MailLog& log, DeliveryStatusFilter filter = {})
      : outcome_(outcome), filter_(std::move(filter)), log_(log) {}
  asio::awaitable<DeliveryReport> deliver(const DeliveryRequest& request, int message) override;

 private:
  FixedOutcome outcome_;
  DeliveryStatusFilter filter_;
  MailLog& log_;
};

}  // namespace mta
