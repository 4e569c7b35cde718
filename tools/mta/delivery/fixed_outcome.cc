#include "tools/mta/delivery/fixed_outcome.h"

#include "tools/mta/delivery/delivery_log.h"
#include "tools/mta/smtp/enhanced_status.h"

namespace mta {

asio::awaitable<DeliveryReport> FixedOutcomeAgent::deliver(const DeliveryRequest& request, int /*message*/) {
  std::string_view text = request.nexthop;
  const std::size_t length = status_length(text);
  // A code of another class than what the agent does is not believed.
  const bool has_code = length > 0 && text.front() == outcome_.code.front();
  const std::string code(has_code ? text.substr(0, length) : outcome_.code);
  text.remove_prefix(length);
  while (text.starts_with(' ')) text.remove_prefix(1);
  DeliveryReport report;
  for (std::size_t i = 0; i < request.recipients.size(); ++i) {
    const auto now = std::chrono::steady_clock::now();
    report.recipients.push_back({.recipient = i,
                                 .outcome = outcome_.outcome,
                                 .status = {.code = code, .text = std::string(text)},
                                 .times = {.start = now, .connected = now, .end = now}});
    filter_.apply(request.purpose, report.recipients.back());
    log_.write({.program = outcome_.program}, Severity::kInfo,
               delivery_log_line(request, report.recipients.back()));
  }
  co_return report;
}

}  // namespace mta
