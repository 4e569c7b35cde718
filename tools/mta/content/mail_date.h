/// Times as messages have them.
#pragma once

#include <ctime>
#include <string>

namespace mta {

/// "Sat, 28 Nov 2026 17:25:21 -0500 (EST)": local time (RFC 5322, section 3.3), for Date: and Received:
/// headers. Thread-safe.
std::string mail_date(std::time_t time);

/// "20261128222521": universal time, as in Message-Id: headers. Thread-safe.
std::string compact_date(std::time_t time);

}  // namespace mta
