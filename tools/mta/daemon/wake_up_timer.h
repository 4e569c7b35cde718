/// Wakes a service up as its entry says (master(5), "Wake up time").
///
///     WakeUpTimer timer(io, "60", service);
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <string_view>

#include "tools/mta/daemon/service.h"

namespace mta {

/// Not thread-safe. The service must outlive it.
class WakeUpTimer {
 public:
  /// `field`: seconds, "60"; "60?" leaves out a service that no client has come to yet; "0" and "-" never
  /// wake it up. The first time is at once, as the master of Postfix has it.
  WakeUpTimer(asio::io_context& io, std::string_view field, Service& service);

  /// No more of it.
  void stop();

 private:
  void wait(std::chrono::seconds time);

  asio::steady_timer timer_;
  Service& service_;
  std::chrono::seconds interval_{0};
  bool waits_for_use_ = false;
  bool is_stopped_ = false;
};

}  // namespace mta
