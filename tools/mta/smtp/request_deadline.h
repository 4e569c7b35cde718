/// How long one request of a client may take in all (smtpd_per_request_deadline, smtpd_min_data_rate in
/// postconf(5)): only the time counts that the server waits for the client.
///
///     RequestDeadline deadline({.limit = 300s, .min_data_rate = 500});
///     deadline.start();                                  // before the first read of a request
///     auto end = now + deadline.left();                  // of a read
///     deadline.spend(time_that_it_took);
///     deadline.earn(bytes_of_content);
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace mta {

/// Not thread-safe.
class RequestDeadline {
 public:
  using Duration = std::chrono::steady_clock::duration;

  struct Limits {
    std::chrono::seconds limit{0};  ///< smtpd_timeout
    unsigned min_data_rate = 1;     ///< In bytes a second; above 0.
  };

  explicit RequestDeadline(Limits limits) : limits_(limits), left_(limits.limit) {}

  /// Another request begins.
  void start() { left_ = limits_.limit; }

  /// How long the client may take from now on; never below zero.
  Duration left() const { return left_; }

  /// The server has waited for it.
  void spend(Duration time) { left_ = std::max(left_ - time, Duration::zero()); }

  /// Content came: each byte gives it more time, up to the limit.
  void earn(std::size_t bytes) {
    const std::chrono::duration<double> gain(static_cast<double>(bytes) / limits_.min_data_rate);
    const Duration limit = limits_.limit;
    left_ = gain >= limit ? limit : std::min(left_ + std::chrono::duration_cast<Duration>(gain), limit);
  }

 private:
  Limits limits_;
  Duration left_;
};

}  // namespace mta
