#include "tools/mta/daemon/wake_up_timer.h"

#include <charconv>

namespace mta {

WakeUpTimer::WakeUpTimer(asio::io_context& io, std::string_view field, Service& service)
    : timer_(io), service_(service) {
  waits_for_use_ = field.ends_with('?');
  int seconds = 0;
  std::from_chars(field.data(), field.data() + field.size(),
                  seconds);  // The parser of master.cf has checked it.
  interval_ = std::chrono::seconds(seconds);
  if (seconds > 0) wait(std::chrono::seconds(0));
}

void WakeUpTimer::wait(std::chrono::seconds time) {
  timer_.expires_after(time);
  timer_.async_wait([this](const asio::error_code& failure) {
    if (failure || is_stopped_) return;
    if (!waits_for_use_ || service_.was_used()) service_.wake_up();
    wait(interval_);
  });
}

void WakeUpTimer::stop() {
  is_stopped_ = true;
  timer_.cancel();
}

}  // namespace mta
