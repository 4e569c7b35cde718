#include "tools/mta/tls/ticket_keys.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstring>

namespace mta {

std::optional<TicketKeys::Key> TicketKeys::sealing_key() {
  const std::lock_guard lock(mutex_);
  const std::time_t now = clock_();
  std::erase_if(keys_, [&](const Key& key) { return now >= key.sealing_ends + lifetime_; });
  if (!keys_.empty() && !is_retiring(keys_.back())) return keys_.back();
  Key key;
  if (RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) != 1 ||
      RAND_priv_bytes(key.encryption.data(), static_cast<int>(key.encryption.size())) != 1 ||
      RAND_priv_bytes(key.authentication.data(), static_cast<int>(key.authentication.size())) != 1)
    return std::nullopt;
  key.sealing_ends = now + lifetime_;
  keys_.push_back(key);
  return key;
}

std::optional<TicketKeys::Key> TicketKeys::opening_key(const unsigned char* name) {
  const std::lock_guard lock(mutex_);
  const std::time_t now = clock_();
  for (const Key& key : keys_) {
    if (std::memcmp(key.name.data(), name, key.name.size()) == 0 && now < key.sealing_ends + lifetime_)
      return key;
  }
  return std::nullopt;
}

}  // namespace mta
