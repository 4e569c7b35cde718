/// The sender of probes (postconf(5), address_verify_sender, address_verify_sender_ttl).
///
///     std::string sender = probe_sender("double-bounce@example.com", std::chrono::hours(1), now);
///     // "double-bounceJR3M@example.com"
#pragma once

#include <chrono>
#include <ctime>
#include <string>
#include <string_view>

namespace mta {

/// `sender` with the number of the `lifetime` that `now`, seconds since the epoch, is in behind its local
/// part: in base 31, the digits and the consonants. Without a lifetime, or a sender, it stays as it is.
/// Pure; thread-safe.
std::string probe_sender(std::string_view sender, std::chrono::seconds lifetime, std::time_t now);

}  // namespace mta
