/// The keys of session tickets (RFC 5077, section 4; postconf(5), tls_session_ticket_cipher), which live in
/// memory and are replaced in time.
///
///     TicketKeys keys(EVP_aes_256_cbc(), std::chrono::hours(1), clock);
///     std::optional<TicketKeys::Key> key = keys.sealing_key();
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tools/mta/tls/tls_library.h"

namespace mta {

/// Seconds since the epoch.
using Clock = std::function<std::time_t()>;

/// A key seals tickets for one lifetime, and opens them for another. Thread-safe.
class TicketKeys {
 public:
  struct Key {
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> encryption{};
    std::array<unsigned char, 32> authentication{};
    std::time_t sealing_ends = 0;
  };

  /// `cipher` is of CBC mode with keys of up to 256 bits. `lifetime` is positive.
  TicketKeys(const EVP_CIPHER* cipher, std::chrono::seconds lifetime, Clock clock)
      : cipher_(cipher), lifetime_(lifetime.count()), clock_(std::move(clock)) {}

  const EVP_CIPHER* cipher() const { return cipher_; }

  /// The key to seal with now, a new one if need be. Nothing: OpenSSL has no randomness.
  std::optional<Key> sealing_key();

  /// The key with the name, if it may still open tickets.
  std::optional<Key> opening_key(const unsigned char* name);

  /// Whether what the key sealed should be sealed anew, as the key is on its way out.
  bool is_retiring(const Key& key) const { return clock_() >= key.sealing_ends; }

 private:
  const EVP_CIPHER* cipher_;
  std::time_t lifetime_;
  Clock clock_;
  std::mutex mutex_;
  std::vector<Key> keys_;  ///< The last one seals.
};

}  // namespace mta
