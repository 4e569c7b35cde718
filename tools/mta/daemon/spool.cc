#include "tools/mta/daemon/spool.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "libconf/text.h"
#include "tools/mta/daemon/spool_layout.h"

namespace mta {
namespace {

using libconf::concat;

Error failed(std::string_view step, std::string_view path) {
  return {.kind = ErrorKind::kInputOutput, .message = concat(step, " ", path, ": ", std::strerror(errno))};
}

/// The parents of a directory that is to be made.
Result<void> make_parents(const std::string& path) {
  std::error_code failure;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failure);
  if (failure)
    return Error{.kind = ErrorKind::kInputOutput, .message = concat("mkdir ", path, ": ", failure.message())};
  return {};
}

enum class IfThere { kKeep, kSetPermissions };

Result<void> make_directory(const std::string& path, mode_t mode, std::optional<Identity> owner,
                            IfThere if_there) {
  if (::mkdir(path.c_str(), 0700) != 0) {
    if (errno != EEXIST) return failed("mkdir", path);
    if (if_there == IfThere::kKeep) return {};
  }
  if (owner && ::chown(path.c_str(), owner->user, owner->group) != 0) return failed("chown", path);
  // mkdir(2) would have taken the umask off.
  if (::chmod(path.c_str(), mode) != 0) return failed("chmod", path);
  return {};
}

/// `directory`, taken from queue_directory when it is relative.
std::string within(const std::string& queue_directory, const std::string& directory) {
  return directory.starts_with('/') ? directory : concat(queue_directory, "/", directory);
}

}  // namespace

bool MasterLock::take() { return ::flock(file_.get(), LOCK_EX | LOCK_NB) == 0; }

Result<void> MasterLock::write_pid(pid_t pid) {
  std::array<char, 40> text{};
  const int size = std::snprintf(text.data(), text.size(), "%*d\n", 32, static_cast<int>(pid));
  if (::ftruncate(file_.get(), 0) != 0 ||
      ::pwrite(file_.get(), text.data(), static_cast<std::size_t>(size), 0) != size)
    return failed("write", "the file with the process ID");
  return {};
}

Result<Spool> Spool::read(const libconf::Settings& settings) {
  Spool spool;
  const struct {
    const char* name;
    std::string& value;
  } wanted[] = {{"queue_directory", spool.queue_directory_}, {"data_directory", spool.data_directory_}};
  for (const auto& [name, value] : wanted) {
    Result<std::string> path = settings.get(name);
    if (!path) return path.error();
    value = std::move(*path);
  }
  const Result<std::string> pid_directory = settings.get("process_id_directory");
  if (!pid_directory) return pid_directory.error();
  const std::string directory = within(spool.queue_directory_, *pid_directory);
  spool.lock_file_ = concat(directory, "/master.pid");
  spool.turn_file_ = concat(directory, "/qmgr.lock");
  if (::geteuid() != 0) return spool;

  const Result<std::string> owner = settings.get("mail_owner");
  if (!owner) return owner.error();
  const passwd* const user = ::getpwnam(owner->c_str());
  if (user == nullptr) return libconf::configuration_error(concat("mail_owner: unknown user: ", *owner));
  spool.mail_owner_name_ = *owner;
  spool.mail_owner_ = Identity{.user = user->pw_uid, .group = user->pw_gid};
  const Result<std::string> setgid = settings.get("setgid_group");
  if (!setgid) return setgid.error();
  const group* const entry = ::getgrnam(setgid->c_str());
  if (entry == nullptr) return libconf::configuration_error(concat("setgid_group: unknown group: ", *setgid));
  spool.setgid_group_name_ = *setgid;
  spool.setgid_group_ = entry->gr_gid;
  return spool;
}

std::vector<Spool::Place> Spool::places() const {
  std::optional<Identity> root;
  std::optional<Identity> mail;
  if (mail_owner_) {
    root = Identity{.user = 0, .group = 0};
    mail = Identity{.user = mail_owner_->user, .group = 0};
  }
  std::vector<Place> places = {{queue_directory_, 0755, root}, {data_directory_, 0700, mail}};
  for (const SpoolDirectory& each : kSpoolDirectories) {
    std::optional<Identity> owner = each.owner == SpoolOwner::kRoot ? root : mail;
    if (owner && each.group == SpoolGroup::kSetgid) owner->group = *setgid_group_;
    places.push_back({concat(queue_directory_, "/", each.name), each.mode, owner});
  }
  return places;
}

Result<void> Spool::make_directories() const {
  for (const std::string& path : {queue_directory_, data_directory_})
    if (Result<void> made = make_parents(path); !made) return made;
  for (const Place& each : places())
    if (Result<void> made = make_directory(each.path, each.mode, each.owner, IfThere::kKeep); !made)
      return made;
  return {};
}

Result<void> Spool::set_permissions() const {
  for (const Place& each : places())
    if (Result<void> made = make_directory(each.path, each.mode, each.owner, IfThere::kSetPermissions); !made)
      return made;
  return {};
}

Result<void> Spool::enter() const {
  if (::chdir(queue_directory_.c_str()) == 0) return {};
  return Error{.kind = ErrorKind::kInputOutput,
               .message = concat("chdir(", queue_directory_, "): ", std::strerror(errno))};
}

Result<libconf::FileDescriptor> Spool::open_lock(const std::string& path, int flags) {
  libconf::FileDescriptor file(::open(path.c_str(), flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return failed("open lock file", path);
  return file;
}

Result<MasterLock> Spool::lock() const {
  Result<libconf::FileDescriptor> file = open_lock(lock_file_, O_CREAT);
  if (!file) return file.error();
  if (::flock(file->get(), LOCK_EX | LOCK_NB) == 0) return MasterLock(std::move(*file));
  return Error{.kind = errno == EWOULDBLOCK ? ErrorKind::kTemporary : ErrorKind::kInputOutput,
               .message = concat("open lock file ", lock_file_,
                                 ": unable to set exclusive lock: ", std::strerror(errno))};
}

Result<MasterLock> Spool::open_turn() const {
  Result<libconf::FileDescriptor> file = open_lock(turn_file_, O_CREAT);
  if (!file) return file.error();
  return MasterLock(std::move(*file));
}

Result<std::optional<pid_t>> Spool::running() const {
  if (::access(lock_file_.c_str(), F_OK) != 0 && errno == ENOENT) return std::optional<pid_t>();
  const Result<libconf::FileDescriptor> file = open_lock(lock_file_, 0);
  if (!file) return file.error();
  if (::flock(file->get(), LOCK_SH | LOCK_NB) == 0) return std::optional<pid_t>();
  if (errno != EWOULDBLOCK) return failed("lock", lock_file_);
  std::array<char, 64> text{};
  const ssize_t size = ::pread(file->get(), text.data(), text.size(), 0);
  if (size < 0) return failed("read", lock_file_);
  const std::string_view number =
      libconf::trim(std::string_view(text.data(), static_cast<std::size_t>(size)));
  pid_t pid = 0;
  const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), pid);
  // Between taking the lock and writing the number there is a moment.
  if (failure != std::errc() || pid <= 0)
    return Error{.kind = ErrorKind::kTemporary,
                 .message = concat(lock_file_, ": no process ID in a locked file")};
  return std::optional(pid);
}

}  // namespace mta
