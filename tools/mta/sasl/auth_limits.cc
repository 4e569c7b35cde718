#include "tools/mta/sasl/auth_limits.h"

#include <algorithm>

namespace mta {

using libconf::Result;

Result<AuthLimitSettings> read_auth_limits(const libconf::Settings& settings) {
  AuthLimitSettings limits;
  const Result<std::chrono::seconds> step = settings.get_duration("smtpd_error_sleep_time");
  if (!step) return step.error();
  const Result<std::int64_t> steps = settings.get_int("smtpd_soft_error_limit");
  if (!steps) return steps.error();
  const Result<std::chrono::seconds> memory = settings.get_duration("anvil_rate_time_unit");
  if (!memory) return memory.error();
  limits.step = *step;
  limits.steps = static_cast<int>(*steps);
  limits.memory = *memory;
  return limits;
}

std::chrono::seconds AuthLimits::failed(std::string_view client, Time now) {
  forget_old(now);
  auto found = by_address_.find(client);
  if (found == by_address_.end()) {
    clients_.push_back({.address = std::string(client)});
    found = by_address_.emplace(client, std::prev(clients_.end())).first;
  } else {
    clients_.splice(clients_.end(), clients_, found->second);
  }
  Client& entry = *found->second;
  entry.last = now;
  const int steps = std::min(entry.failures++, settings_.steps);
  if (clients_.size() > settings_.clients) {
    by_address_.erase(clients_.front().address);
    clients_.pop_front();
  }
  return steps * settings_.step;
}

void AuthLimits::succeeded(std::string_view client) {
  const auto found = by_address_.find(client);
  if (found == by_address_.end()) return;
  clients_.erase(found->second);
  by_address_.erase(found);
}

void AuthLimits::forget_old(Time now) {
  while (!clients_.empty() && now - clients_.front().last >= settings_.memory) {
    by_address_.erase(clients_.front().address);
    clients_.pop_front();
  }
}

}  // namespace mta
