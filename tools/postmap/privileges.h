/// Running as the owner of a file while working on what that owner wrote (postmap(1), -o).
#pragma once

#include <sys/stat.h>

namespace postmap {

/// As root, takes on the user and group that own a file, and gives them back at the end of its life. Others,
/// and files of root, change nothing. One at a time, in a program with one thread: the identity is the
/// process's.
class RunAsOwner {
 public:
  explicit RunAsOwner(const struct stat& file);
  ~RunAsOwner();
  RunAsOwner(const RunAsOwner&) = delete;
  RunAsOwner& operator=(const RunAsOwner&) = delete;

  /// Whether it is in effect.
  bool is_active() const { return is_active_; }

 private:
  bool is_active_;
};

}  // namespace postmap
