// What `postfix check` warns of. Paths are written as Postfix's own check writes them, with "/." behind the
// directories that it walks through.
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "libconf/text.h"
#include "tools/mta/daemon/spool.h"
#include "tools/mta/daemon/spool_layout.h"

namespace mta {
namespace {

using libconf::concat;

constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;

/// `path`, and with `is_deep` all below it, in order of the names. Symbolic links are left out: what they
/// lead to is somebody else's.
void walk(const std::string& path, bool is_deep,
          const std::function<void(const std::string& path, const struct stat& status)>& visit) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || S_ISLNK(status.st_mode)) return;
  visit(path, status);
  if (!is_deep || !S_ISDIR(status.st_mode)) return;
  std::vector<std::string> names;
  std::error_code failure;
  for (std::filesystem::directory_iterator each(path, failure), end; !failure && each != end;
       each.increment(failure))
    names.push_back(each->path().filename());
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) walk(concat(path, "/", name), is_deep, visit);
}

/// Collects the warnings.
class Check {
 public:
  /// Nothing: it is not root who asks, and everything belongs to the one who made it.
  void owner(const std::string& path, bool is_deep, std::optional<uid_t> user, std::string_view name) {
    if (!user) return;
    walk(path, is_deep, [&](const std::string& where, const struct stat& status) {
      if (status.st_uid != *user) warnings_.push_back(concat("not owned by ", name, ": ", where));
    });
  }
  void group(const std::string& path, gid_t group, std::string_view name) {
    walk(path, false, [&](const std::string& where, const struct stat& status) {
      if (status.st_gid != group) warnings_.push_back(concat("not owned by group ", name, ": ", where));
    });
  }
  void writable(const std::string& path, bool is_deep) {
    walk(path, is_deep, [&](const std::string& where, const struct stat& status) {
      if ((status.st_mode & kOthersWrite) != 0 && !S_ISSOCK(status.st_mode))
        warnings_.push_back(concat("group or other writable: ", where));
    });
  }

  std::vector<std::string> take() { return std::move(warnings_); }

 private:
  std::vector<std::string> warnings_;
};

}  // namespace

std::vector<std::string> Spool::permission_warnings(const std::string& config_directory) const {
  std::optional<uid_t> root;
  std::optional<uid_t> mail;
  if (mail_owner_) {
    root = 0;
    mail = mail_owner_->user;
  }
  Check check;
  for (const std::string& path : {concat(queue_directory_, "/."), concat(queue_directory_, "/pid")}) {
    check.owner(path, false, root, "root");
    check.writable(path, false);
  }
  const std::string config = concat(config_directory, "/.");
  check.owner(config, true, root, "root");
  check.writable(config, true);
  const std::string data = concat(data_directory_, "/.");
  check.owner(data, true, mail, mail_owner_name_);
  check.writable(data, true);
  for (const SpoolDirectory& each : kSpoolDirectories) {
    const bool has_sockets = each.name == "private" || each.name == "public";
    if (each.owner == SpoolOwner::kMail)
      check.owner(concat(queue_directory_, "/", each.name), has_sockets, mail, mail_owner_name_);
  }
  for (const SpoolDirectory& each : kSpoolDirectories)
    if (setgid_group_ && each.group == SpoolGroup::kSetgid)
      check.group(concat(queue_directory_, "/", each.name), *setgid_group_, setgid_group_name_);
  return check.take();
}

}  // namespace mta
