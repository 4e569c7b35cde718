/// The line of the log for a recipient, as all delivery agents of Postfix write it and log readers know it.
///
///     // 4A1B2C3D4E: to=<bob@example.com>, relay=mx.example.com[192.0.2.7]:25, delay=0.3,
///     // delays=0.1/0/0.1/0.1, dsn=2.0.0, status=sent (250 2.0.0 Ok)
///     log.write(tag, Severity::kInfo, delivery_log_line(request, report));
#pragma once

#include <chrono>
#include <string>

#include "tools/mta/delivery/delivery_agent.h"

namespace mta {

/// Pure; thread-safe.
std::string delivery_log_line(const DeliveryRequest& request, const RecipientReport& report);

/// A time as the log has it (delay_logging_resolution_limit = 2, postconf(5)): "0.05", "1.2", "34". Pure.
std::string log_delay(std::chrono::microseconds time);

}  // namespace mta
