#include "tools/mta/delivery/session_cache.h"

#include <algorithm>

namespace mta {

using Clock = std::chrono::steady_clock;

void SessionCache::set_timer(const std::shared_ptr<State>& state) {
  if (state->is_timer_set || state->entries.empty()) return;
  state->is_timer_set = true;
  state->timer.expires_at(state->entries.front().end);
  state->timer.async_wait([weak = std::weak_ptr(state)](const asio::error_code& error) {
    const std::shared_ptr<State> here = weak.lock();
    if (error || !here) return;
    here->is_timer_set = false;
    const auto now = Clock::now();
    std::erase_if(here->entries, [&](const Entry& entry) { return entry.end <= now; });
    set_timer(here);
  });
}

void SessionCache::put(std::string key, std::unique_ptr<SmtpClientSession> session) {
  state_->entries.push_back(
      {.key = std::move(key), .session = std::move(session), .end = Clock::now() + limit_});
  set_timer(state_);
}

std::unique_ptr<SmtpClientSession> SessionCache::take(std::string_view key) {
  auto& entries = state_->entries;
  const auto found =
      std::find_if(entries.rbegin(), entries.rend(), [&](const Entry& entry) { return entry.key == key; });
  if (found == entries.rend()) return nullptr;
  std::unique_ptr<SmtpClientSession> session = std::move(found->session);
  entries.erase(std::next(found).base());
  return session;
}

}  // namespace mta
