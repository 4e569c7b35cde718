/// The lock of a mailbox file, as local(8) and the mail readers of the host have it (postconf(5),
/// mailbox_delivery_lock).
///
///     Result<LockRules> rules = LockRules::read(settings, std::nullopt);
///     Result<MailboxLock> lock = MailboxLock::take("/var/mail/ann", *rules);
///     ...                                    // while the object lives, the file is ours
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "libconf/handle.h"
#include "libconf/result.h"
#include "libconf/settings.h"

namespace postlock {

struct LockRules {
  bool uses_flock = false;
  bool uses_fcntl = false;
  bool uses_dotlock = false;
  int attempts = 1;                    ///< deliver_lock_attempts
  std::chrono::seconds delay{1};       ///< deliver_lock_delay: between attempts.
  std::chrono::seconds stale_time{0};  ///< stale_lock_time: who made such an old lock file is gone.

  /// `style` instead of mailbox_delivery_lock. Errors: as the getters of Settings; kConfiguration, for a word
  /// that is none.
  static libconf::Result<LockRules> read(const libconf::Settings& settings,
                                         const std::optional<std::string>& style);
};

/// Movable; destroyed, the file is free again.
class MailboxLock {
 public:
  /// Makes the file where it is not there. Errors: kTemporary where it cannot be locked, "open file PATH:
  /// REASON".
  static libconf::Result<MailboxLock> take(const std::string& path, const LockRules& rules);
  MailboxLock(MailboxLock&& other) noexcept;
  MailboxLock& operator=(MailboxLock&&) = delete;
  ~MailboxLock();

 private:
  MailboxLock() = default;
  libconf::Result<void> make_lock_file(const std::string& path, const LockRules& rules);
  libconf::Result<void> lock_file(const std::string& path, const LockRules& rules) const;

  libconf::FileDescriptor file_;
  std::string lock_file_;  ///< Empty: there is none.
};

}  // namespace postlock
