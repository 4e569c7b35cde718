/// A file that takes the place of another: written beside it, and renamed over it when it is whole.
///
///     auto replacement = FileReplacement::begin("/etc/postfix/virtual.db");   // waits for other writers
///     if (!replacement) return replacement.error();
///     write_all_of_it(replacement->fd());
///     Result<void> done = replacement->commit({.if_new = 0644});
///
/// The lock is the one that Postfix's own tools take: flock() on FILE.tmp, where the new file grows. Whatever
/// happens on the way, FILE has its old bytes or its new ones.
#pragma once

#include <sys/types.h>

#include <string>

#include "libconf/handle.h"
#include "libconf/result.h"

namespace libconf {

/// The mode of a file that takes another one's place.
struct FileMode {
  mode_t if_new;           ///< Where there was none.
  mode_t at_most = 07777;  ///< What the mode of the old one may have beside this is dropped.
};

/// Whether the rename itself is to be on the disk when commit() returns. Without that, a machine that stops a
/// moment later may come up with the old file, whole.
enum class RenameSync { kNow, kSoon };

/// One replacement of one file; holds the lock until it ends. Movable; not thread-safe. One that is destroyed
/// without commit() or discard() leaves its FILE.tmp behind, as Postfix's tools do when they stop in the
/// middle; the next one takes it over.
class FileReplacement {
 public:
  /// Waits for the lock. A symbolic link is followed: it stays a link, and what it leads to is replaced.
  /// FILE.tmp may have bytes from before. Errors: kInputOutput, "open FILE.tmp: REASON".
  static Result<FileReplacement> begin(const std::string& file);

  FileReplacement(FileReplacement&&) noexcept = default;
  FileReplacement& operator=(FileReplacement&&) noexcept = default;

  /// FILE.tmp, open for reading and writing.
  int fd() const { return lock_.fd.get(); }
  const std::string& temporary() const { return lock_.path; }
  /// What is replaced: the file, or what it links to.
  const std::string& target() const { return target_; }

  /// Gives FILE.tmp the owner, group and mode of FILE, or the mode for a new one; syncs it; renames it; and
  /// ends. On an error FILE.tmp is removed. Errors: kInputOutput.
  Result<void> commit(FileMode mode, RenameSync rename_sync = RenameSync::kNow);

  /// Ends, and removes FILE.tmp.
  void discard();

 private:
  /// A locked FILE.tmp.
  struct Lock {
    std::string path;
    FileDescriptor fd;
  };
  static Result<Lock> take_lock(const std::string& file);

  FileReplacement() = default;
  Result<void> set_owner_and_mode(FileMode mode) const;
  Result<void> rename_over(RenameSync rename_sync) const;

  std::string target_;
  Lock lock_;
  Lock link_lock_;  ///< Beside the symbolic link, when the file is one.
};

}  // namespace libconf
