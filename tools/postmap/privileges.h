/// Running as the owner of a file while working on what that owner wrote (postmap(1), -o).
#pragma once

#include <sys/stat.h>

#include <string>

#include "libconf/result.h"

namespace postmap {

/// As root, takes on the user and group that own a file, and gives them back at the end. Others, and files of
/// root, change nothing. One at a time, in a program with one thread: the identity is the process's.
class RunAsOwner {
 public:
  RunAsOwner() = default;
  ~RunAsOwner() { end(); }
  RunAsOwner(const RunAsOwner&) = delete;
  RunAsOwner& operator=(const RunAsOwner&) = delete;

  /// `file` is fstat(2) of `name`. Errors: the system does not let root be that user.
  libconf::Result<void> begin(const struct stat& file, const std::string& name);
  void end();

  /// Whether it is in effect.
  bool is_active() const { return is_active_; }

 private:
  bool is_active_ = false;
};

}  // namespace postmap
