#include "tools/mta/delivery/mailbox_options.h"

#include <algorithm>
#include <array>

#include "libconf/text.h"

namespace mta {
namespace {

struct LockName {
  std::string_view name;
  MailboxLock lock;
};

// postconf -l
constexpr std::array kLockNames = {
    LockName{"dotlock", kLockDotFile},
    LockName{"fcntl", kLockFcntl},
    LockName{"flock", kLockFlock},
};

}  // namespace

void MailboxOptions::read(SettingsReader& reader, std::string_view lock, std::string_view limit) {
  std::vector<std::string> words;
  reader.list(lock, words);
  for (const std::string& word : words) {
    const auto* const found = std::find_if(kLockNames.begin(), kLockNames.end(),
                                           [&](const LockName& each) { return each.name == word; });
    if (found != kLockNames.end()) {
      locks |= found->lock;
    } else {
      reader.fail(
          {.kind = libconf::ErrorKind::kConfiguration,
           .message = libconf::concat("bad parameter value: ", lock, ": unknown method \"", word, "\"")});
    }
  }
  reader.count(limit, size_limit);
  std::uint64_t message_limit = 0;
  reader.count("message_size_limit", message_limit);
  if (size_limit != 0 && (message_limit == 0 || size_limit < message_limit))
    reader.fail({.kind = libconf::ErrorKind::kConfiguration,
                 .message = libconf::concat("configuration error: ", limit,
                                            " is smaller than message_size_limit")});
  reader.count("deliver_lock_attempts", lock_attempts);
  reader.seconds("deliver_lock_delay", lock_delay);
  reader.seconds("stale_lock_time", stale_lock_time);
  reader.flag("strict_mailbox_ownership", must_be_owned);
}

MailboxDelivery MailboxOptions::delivery(std::string path) const {
  return {.path = std::move(path),
          .locks = locks,
          .lock_attempts = lock_attempts,
          .lock_delay = lock_delay,
          .stale_lock_time = stale_lock_time,
          .size_limit = size_limit,
          .must_be_owned = must_be_owned};
}

std::string probed_mailbox(std::string_view path) {
  return path.ends_with('/') ? "delivers to maildir" : "delivers to mailbox";
}

}  // namespace mta
