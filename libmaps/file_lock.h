/// Locks on index files, as Postfix takes them (LockStyle in libmaps/table_types.h).
#pragma once

#include <cstdint>
#include <string>

#include "libconf/handle.h"
#include "libconf/result.h"
#include "libmaps/table_types.h"

namespace libmaps {

enum class LockMode : std::uint8_t { kShared, kExclusive, kUnlock };

/// Takes, changes or drops a lock on the whole of an open file; waits as long as it takes. Thread-safe.
/// Errors: kInputOutput with the reason.
libconf::Result<void> set_lock(int fd, LockStyle style, LockMode mode);

/// An open file with a lock, which ends with its owner.
class FileLock {
 public:
  FileLock() = default;

  /// Opens `path` for reading and writing, and locks it. Another process may rename a new file over it
  /// meanwhile: then that one is locked. Without such a file, the result holds nothing. Errors: kInputOutput,
  /// "open database FILE: REASON".
  static libconf::Result<FileLock> open(const std::string& path, LockStyle style, LockMode mode);

  int fd() const { return fd_.get(); }

  /// Hands over the file, and the lock with it.
  libconf::FileDescriptor release() { return std::move(fd_); }

  explicit operator bool() const { return static_cast<bool>(fd_); }

 private:
  explicit FileLock(libconf::FileDescriptor fd) : fd_(std::move(fd)) {}

  libconf::FileDescriptor fd_;
};

}  // namespace libmaps
