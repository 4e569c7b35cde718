#include "tools/mta/queue/clog_warnings.h"

#include "libconf/text.h"

namespace mta {

using libconf::concat;
using libconf::Result;

namespace {

/// The share of the active queue that a destination may have: one of so many parts.
constexpr std::size_t kParts = 5;

}  // namespace

Result<ClogWarnings> ClogWarnings::read(const libconf::Settings& settings) {
  ClogWarnings warnings;
  const Result<std::int64_t> limit = settings.get_int("qmgr_message_active_limit");
  if (!limit) return limit.error();
  const Result<std::chrono::seconds> interval = settings.get_duration("qmgr_clog_warn_time");
  if (!interval) return interval.error();
  const Result<bool> is_wanted = settings.get_bool("helpful_warnings");
  if (!is_wanted) return is_wanted.error();
  warnings.active_limit_ = static_cast<std::size_t>(*limit);
  if (*is_wanted) warnings.interval_ = *interval;
  return warnings;
}

std::vector<std::string> ClogWarnings::check(const std::string& transport, const std::string& destination,
                                             const DestinationLoad& load, std::size_t active, Time now) {
  if (interval_.count() == 0 || load.deliveries * kParts <= active_limit_) return {};
  const Place place(transport, destination);
  if (const auto silent = silent_until_.find(place); silent != silent_until_.end() && now < silent->second)
    return {};
  std::erase_if(silent_until_, [now](const auto& each) { return each.second <= now; });
  silent_until_.emplace(place, now + interval_);
  std::vector<std::string> lines = {concat("mail for ", destination, " is using up ",
                                           std::to_string(load.deliveries), " of ", std::to_string(active),
                                           " active queue entries")};
  if (load.deliveries < active) lines.emplace_back("this may slow down other mail deliveries");
  for (std::string& line : advice(place, load, active)) lines.push_back(std::move(line));
  lines.insert(lines.end(), {"please avoid flushing the whole queue when you have",
                             "lots of deferred mail, that is bad for performance",
                             "to turn off these warnings specify: qmgr_clog_warn_time = 0"});
  return lines;
}

std::vector<std::string> ClogWarnings::advice(const Place& place, const DestinationLoad& load,
                                              std::size_t active) const {
  const auto& [transport, destination] = place;
  // It could take more deliveries than its share of the queue lets it have.
  if (load.window * active > active_limit_ * load.deliveries)
    return {concat("you may need to increase the main.cf qmgr_message_active_limit from ",
                   std::to_string(active_limit_))};
  if (load.limit > 0 && load.busy >= load.limit)
    return {concat("you may need to increase the main.cf ", transport, "_destination_concurrency_limit from ",
                   std::to_string(load.limit))};
  if (!load.is_alone) return {concat("you may need a separate master.cf transport for ", destination)};
  return {concat("you may need to reduce ", transport, " connect and helo timeouts"),
          "so that Postfix quickly skips unavailable hosts",
          "you may need to increase the main.cf minimal_backoff_time and maximal_backoff_time",
          "so that Postfix wastes less time on undeliverable mail",
          concat("you may need to increase the master.cf ", transport, " process limit")};
}

}  // namespace mta
