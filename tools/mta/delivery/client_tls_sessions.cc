#include "tools/mta/delivery/client_tls_sessions.h"

#include <algorithm>

namespace mta {
namespace {

/// A session takes a few kilobytes.
constexpr std::size_t kMostSessions = 1000;

}  // namespace

void ClientTlsSessions::put(const std::string& key, SSL_SESSION* session) {
  entries_[key] = {.session = std::unique_ptr<SSL_SESSION, Free>(session), .end = Clock::now() + lifetime_};
  if (entries_.size() <= kMostSessions) return;
  entries_.erase(std::min_element(entries_.begin(), entries_.end(),
                                  [](const auto& a, const auto& b) { return a.second.end < b.second.end; }));
}

SSL_SESSION* ClientTlsSessions::find(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  if (Clock::now() < found->second.end) return found->second.session.get();
  entries_.erase(found);
  return nullptr;
}

}  // namespace mta
