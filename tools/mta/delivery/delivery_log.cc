#include "tools/mta/delivery/delivery_log.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"

namespace mta {
namespace {

using libconf::concat;
using std::chrono::microseconds;

std::string_view outcome_name(const DeliveryRequest& request, const RecipientReport& report) {
  const DeliveryOutcome outcome = report.outcome;
  if (request.purpose == DeliveryPurpose::kProbe) {
    if (outcome == DeliveryOutcome::kSent) return "deliverable";
    return request.is_failure_remembered ? "undeliverable" : "undeliverable-but-not-cached";
  }
  if (report.is_soft_bounce) return "SOFTBOUNCE";
  switch (outcome) {
    case DeliveryOutcome::kSent:
      return "sent";
    case DeliveryOutcome::kDeferred:
      return "deferred";
    case DeliveryOutcome::kBounced:
      return "bounced";
  }
  return "";
}

microseconds between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::max(std::chrono::duration_cast<microseconds>(to - from), microseconds::zero());
}

}  // namespace

std::string log_delay(microseconds time) {
  const double seconds = std::chrono::duration<double>(time).count();
  const double scale = seconds >= 10 ? 1 : seconds >= 1 ? 10 : 100;
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", std::round(seconds * scale) / scale);
  std::string out = text;
  while (out.ends_with('0')) out.pop_back();
  if (out.ends_with('.')) out.pop_back();
  return out;
}

std::string delivery_log_line(const DeliveryRequest& request, const RecipientReport& report) {
  const QueueRecipient& recipient = request.recipients[report.recipient];
  const DeliveryTimes& times = report.times;
  const auto connected = times.connected < times.start ? times.start : times.connected;
  const auto now = std::chrono::time_point_cast<microseconds>(std::chrono::system_clock::now());
  const microseconds own = between(times.start, times.end);
  const microseconds before_queue =
      std::max<microseconds>(request.activated - request.arrival, microseconds::zero());
  const microseconds before_agent =
      std::max<microseconds>(now - request.activated - own, microseconds::zero());
  const std::string delay = log_delay(before_queue + before_agent + own);
  std::string line = concat(request.queue_id, ": to=<", quote_address(recipient.address), ">");
  if (!recipient.original.empty() && !libconf::equals_ignoring_case(recipient.original, recipient.address))
    line += concat(", orig_to=<", quote_address(recipient.original), ">");
  line += concat(", relay=", report.relay);
  if (report.connection_uses > 1) line += concat(", conn_use=", std::to_string(report.connection_uses));
  line += concat(", delay=", delay, ", delays=", log_delay(before_queue), "/", log_delay(before_agent), "/",
                 log_delay(between(times.start, connected)), "/", log_delay(between(connected, times.end)),
                 ", dsn=", report.status.code);
  line += concat(", status=", outcome_name(request, report), " (", report.status.text, ")");
  return line;
}

}  // namespace mta
