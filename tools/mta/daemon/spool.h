/// The directories that a mail system needs, and the lock that says it runs (postfix(1): check, status).
///
///     Result<Spool> spool = Spool::read(settings);
///     Result<void> made = spool->make_directories();
///     Result<MasterLock> lock = spool->lock();
///
/// Not run as root, everything is of the user who runs it, and mail_owner and setgid_group do not count.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "libconf/handle.h"
#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/daemon/identity.h"

namespace mta {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

/// A file below pid/ that one process locks; closing the file gives it up. The master's is held while the
/// mail system runs.
class MasterLock {
 public:
  explicit MasterLock(libconf::FileDescriptor file) : file_(std::move(file)) {}

  /// Takes the lock; false: another process has it. Does not wait.
  bool take();

  /// Writes the process ID of the holder, for `postfix status` and for people.
  Result<void> write_pid(pid_t pid);

 private:
  libconf::FileDescriptor file_;
};

class Spool {
 public:
  /// Errors: as Settings::get(); kConfiguration for a mail_owner or setgid_group that does not exist.
  static Result<Spool> read(const libconf::Settings& settings);

  const std::string& queue_directory() const { return queue_directory_; }

  /// Whom the processes that serve mail become; nothing: they stay who they are.
  std::optional<Identity> mail_owner() const { return mail_owner_; }

  /// Makes queue_directory, what belongs into it, and data_directory, where they are not there yet. Errors:
  /// kInputOutput.
  Result<void> make_directories() const;

  /// Gives all of them the owners and modes that they should have, and makes those that are missing
  /// (postfix(1), set-permissions). Errors: kInputOutput.
  Result<void> set_permissions() const;

  /// What others could change or take over, in the words of `postfix check`: "not owned by root: PATH",
  /// "group or other writable: PATH". Of what is not there nothing is said.
  std::vector<std::string> permission_warnings(const std::string& config_directory) const;

  /// Makes queue_directory the working directory, which paths of local services refer to. Errors:
  /// kInputOutput, "chdir(DIRECTORY): REASON".
  Result<void> enter() const;

  /// Takes the lock. Errors: kTemporary, when it is held; kInputOutput.
  Result<MasterLock> lock() const;

  /// The lock of the queue manager that is at work, which take() takes. Errors: kInputOutput.
  Result<MasterLock> open_turn() const;

  /// The process that holds the lock of the master; nothing: the mail system is not running.
  Result<std::optional<pid_t>> running() const;

 private:
  /// A directory as it should be.
  struct Place {
    std::string path;
    mode_t mode;
    std::optional<Identity> owner;  ///< Nothing: whoever made it.
  };

  Spool() = default;
  std::vector<Place> places() const;
  static Result<libconf::FileDescriptor> open_lock(const std::string& path, int flags);

  std::string queue_directory_;
  std::string data_directory_;
  std::string lock_file_;
  std::string turn_file_;
  std::optional<Identity> mail_owner_;
  std::string mail_owner_name_;
  std::optional<gid_t> setgid_group_;
  std::string setgid_group_name_;
};

}  // namespace mta
