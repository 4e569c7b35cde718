/// Warnings that mail for one destination takes too much of the active queue, with advice
/// (qmgr_clog_warn_time, helpful_warnings; QSHAPE_README).
///
///     Result<ClogWarnings> warnings = ClogWarnings::read(settings);
///     for (const std::string& line : warnings->check("smtp", "example.com", load, 17, now))
///       log(line);
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/queue/transport_schedule.h"

namespace mta {

/// Not thread-safe.
class ClogWarnings {
 public:
  using Time = TransportSchedule::Time;
  /// A transport, and what it knows a destination by.
  using Place = std::pair<std::string, std::string>;

  /// Errors: those of the settings.
  static libconf::Result<ClogWarnings> read(const libconf::Settings& settings);

  /// The lines of a warning that is due now, of one destination not before qmgr_clog_warn_time has passed;
  /// `active`: messages in the active queue. Asked for each recipient: it costs next to nothing while all is
  /// well.
  std::vector<std::string> check(const std::string& transport, const std::string& destination,
                                 const DestinationLoad& load, std::size_t active, Time now);

 private:
  std::vector<std::string> advice(const Place& place, const DestinationLoad& load, std::size_t active) const;

  std::size_t active_limit_ = 0;        ///< qmgr_message_active_limit
  std::chrono::seconds interval_{0};    ///< qmgr_clog_warn_time; 0: no warnings.
  std::map<Place, Time> silent_until_;  ///< Of those that were warned of.
};

}  // namespace mta
