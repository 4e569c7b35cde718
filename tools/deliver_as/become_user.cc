#include "tools/deliver_as/become_user.h"

#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>

#include "libconf/file.h"
#include "libconf/text.h"

namespace deliver_as {
namespace {

using libconf::concat;
using libconf::configuration_error;
using libconf::Result;

Result<void> enter(const std::string& root) {
  if (::chroot(root.c_str()) != 0 || ::chdir("/") != 0)
    return libconf::io_error("chroot(", concat(root, ")"), errno);
  // Below another root, a program with the set-user-ID bit may find files there that it takes for its own.
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return libconf::io_error("prctl ", root, errno);
  return {};
}

bool is_only(uid_t user, gid_t group) {
  uid_t real_user = 0, effective_user = 0, saved_user = 0;
  gid_t real_group = 0, effective_group = 0, saved_group = 0;
  if (::getresuid(&real_user, &effective_user, &saved_user) != 0) return false;
  if (::getresgid(&real_group, &effective_group, &saved_group) != 0) return false;
  const bool is_user = real_user == user && effective_user == user && saved_user == user;
  const bool is_group = real_group == group && effective_group == group && saved_group == group;
  return is_user && is_group;
}

}  // namespace

Result<void> become_user(uid_t user, gid_t group, const std::string& root) {
  const std::string name = concat("user ", std::to_string(user), " and group ", std::to_string(group));
  if (::geteuid() != 0) {
    if (!root.empty()) return configuration_error("only root can change the root directory");
    if (is_only(user, group)) return {};
    return configuration_error(concat("only root can act as ", name));
  }
  // (uid_t)-1 means "unchanged" to some calls.
  const bool is_unchanged = user == static_cast<uid_t>(-1) || group == static_cast<gid_t>(-1);
  if (user == 0 || group == 0 || is_unchanged) return configuration_error(concat("will not act as ", name));
  if (!root.empty()) {
    if (Result<void> entered = enter(root); !entered) return entered;
  }
  if (::setgroups(1, &group) != 0 || ::setresgid(group, group, group) != 0 ||
      ::setresuid(user, user, user) != 0)
    return libconf::io_error("become ", name, errno);
  if (!is_only(user, group) || ::setuid(0) == 0 || ::setgid(0) == 0)
    return configuration_error(concat("could not become ", name));
  return {};
}

}  // namespace deliver_as
