/// How long replies to failed logins are held back, so that guessing passwords is slow however often a client
/// connects (SASL_README; postconf(5), smtpd_error_sleep_time, smtpd_soft_error_limit, anvil_rate_time_unit).
///
///     AuthLimits limits({.step = 1s, .steps = 10, .memory = 60s});
///     co_await wait(limits.failed("192.0.2.7", now));   // before the reply
///     limits.succeeded("192.0.2.7");
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <map>
#include <string>
#include <string_view>

#include "libconf/result.h"
#include "libconf/settings.h"

namespace mta {

struct AuthLimitSettings {
  std::chrono::seconds step{1};     ///< What each further failure adds to the delay.
  int steps = 10;                   ///< No more than so many are added.
  std::chrono::seconds memory{60};  ///< A client that failed no more for so long is forgotten.
  std::size_t clients = 10'000;     ///< So many are remembered; the one that failed longest ago goes first.
};

/// smtpd_error_sleep_time is the step, smtpd_soft_error_limit the number of steps, anvil_rate_time_unit the
/// memory. Errors: those of Settings.
libconf::Result<AuthLimitSettings> read_auth_limits(const libconf::Settings& settings);

/// Failures of clients, by address. Not thread-safe.
class AuthLimits {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit AuthLimits(AuthLimitSettings settings) : settings_(settings) {}

  /// A login failed. Returns how long to wait before the client is told: nothing after the first failure.
  std::chrono::seconds failed(std::string_view client, Time now);

  /// Forgets the failures of a client.
  void succeeded(std::string_view client);

  /// How many clients are remembered.
  std::size_t size() const { return clients_.size(); }

 private:
  struct Client {
    std::string address;
    int failures = 0;
    Time last{};
  };
  using Clients = std::list<Client>;

  void forget_old(Time now);

  AuthLimitSettings settings_;
  Clients clients_;  ///< By last failure, the latest at the end.
  std::map<std::string, Clients::iterator, std::less<>> by_address_;
};

}  // namespace mta
