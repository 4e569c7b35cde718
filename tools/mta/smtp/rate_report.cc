#include "tools/mta/smtp/rate_report.h"

namespace mta {

void RateReport::start() {
  timer_.expires_after(interval_);
  timer_.async_wait([this](const asio::error_code& failure) {
    if (failure) return;
    write();
    start();
  });
}

void RateReport::write() {
  for (const std::string& line : rates_.take_statistics())
    log_.write({.program = "anvil"}, Severity::kInfo, line);
}

}  // namespace mta
