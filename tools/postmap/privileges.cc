#include "tools/postmap/privileges.h"

#include <grp.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "libconf/file.h"
#include "libconf/text.h"

namespace postmap {
namespace {

/// Whether the process could become this user and group, with no other groups.
bool become(uid_t user, gid_t group) {
  // Root first where it is to be root again: the rest needs its rights.
  if (user == 0 && ::seteuid(0) != 0) return false;
  return ::setgroups(1, &group) == 0 && ::setegid(group) == 0 && ::seteuid(user) == 0;
}

}  // namespace

libconf::Result<void> RunAsOwner::begin(const struct stat& file, const std::string& name) {
  if (::geteuid() != 0 || file.st_uid == 0) return {};
  is_active_ = true;
  if (become(file.st_uid, file.st_gid)) return {};
  const int reason = errno;
  end();
  return libconf::io_error(
      libconf::concat("run as user ", std::to_string(file.st_uid), ", who owns (-o keeps the privileges) "),
      name, reason);
}

void RunAsOwner::end() {
  // To go on as somebody in between would be worse than to stop.
  if (is_active_ && !become(0, 0)) std::abort();
  is_active_ = false;
}

}  // namespace postmap
