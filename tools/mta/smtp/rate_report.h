/// Tells the log from time to time what clients did at most (anvil(8), anvil_status_update_time).
///
///     RateReport report(io, rates, log, 600s);
///     report.start();
///     io.run();        // until stop()
///     report.write();  // what came since the last time
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>

#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/smtp/client_rates.h"

namespace mta {

/// Not thread-safe. All references must outlive it, and it must outlive the io_context's run.
class RateReport {
 public:
  RateReport(asio::io_context& io, ClientRates& rates, MailLog& log, std::chrono::seconds interval)
      : timer_(io), rates_(rates), log_(log), interval_(interval) {}

  void start();
  void stop() { timer_.cancel(); }
  void write();

 private:
  asio::steady_timer timer_;
  ClientRates& rates_;
  MailLog& log_;
  std::chrono::seconds interval_;
};

}  // namespace mta
