/// How a mailbox file is shared with those who read it: locks of the file, and a lock file beside it
/// (postconf(5), mailbox_delivery_lock and virtual_mailbox_lock).
///
///     LockRules rules;
///     rules.read(reader, "mailbox_delivery_lock");
///     DotLock dot_lock;
///     if (const int error = dot_lock.take(path, rules); error != 0) ...
///     if (const int error = lock_file(file.get(), rules); error != 0) ...
///
/// Who waits for a lock holds up his thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tools/mta/daemon/settings_reader.h"

namespace mta {

enum MailboxLock : std::uint32_t { kLockFcntl = 1, kLockFlock = 2, kLockDotFile = 4 };

struct LockRules {
  std::uint32_t methods = 0;   ///< An OR of MailboxLock.
  std::uint32_t attempts = 1;  ///< deliver_lock_attempts
  std::uint32_t delay = 1;     ///< deliver_lock_delay: between attempts, in seconds, give or take a quarter.
  std::uint32_t stale_time = 500;  ///< stale_lock_time, in seconds: who made an older lock file is gone.

  /// The methods from `parameter`, unless `methods_given` are to take its place. Errors, to `reader`: a word
  /// that names no method.
  void read(SettingsReader& reader, std::string_view parameter,
            const std::optional<std::string>& methods_given = std::nullopt);
};

/// PATH.lock, which others that use the mailbox look for; goes with the object.
class DotLock {
 public:
  DotLock() = default;
  DotLock(DotLock&& other) noexcept;
  DotLock& operator=(DotLock&&) = delete;
  ~DotLock();

  /// Removes a stale one, except when no attempt is left. Returns 0, or an errno; EEXIST: somebody else has
  /// it; others where it cannot be made, or a stale one not be removed.
  int take(const std::string& path, const LockRules& rules);

 private:
  std::string name_;  ///< Empty: there is none.
};

/// Locks an open file with the other methods; closing it unlocks it. Returns 0, or an errno.
int lock_file(int file, const LockRules& rules);

}  // namespace mta
