#include "tools/postmap/privileges.h"

#include <grp.h>
#include <unistd.h>

#include <cstdlib>

namespace postmap {
RunAsOwner::RunAsOwner(const struct stat& file) : is_active_(::geteuid() == 0 && file.st_uid != 0) {
  if (!is_active_) return;
  // To go on with the rights of root would be worse than to end.
  if (::setgroups(1, &file.st_gid) != 0 || ::setegid(file.st_gid) != 0 || ::seteuid(file.st_uid) != 0)
    std::abort();
}

RunAsOwner::~RunAsOwner() {
  if (!is_active_) return;
  if (::seteuid(0) != 0 || ::setegid(0) != 0) std::abort();
  const gid_t group = 0;
  if (::setgroups(1, &group) != 0) std::abort();
}

}  // namespace postmap
