#include "libconf/file_replacement.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "libconf/file.h"
#include "libconf/text.h"

namespace libconf {
namespace {

/// The file behind symbolic links; the name itself when there are none, or when it does not exist.
std::string resolve_links(const std::string& file) {
  struct stat status {};
  if (::lstat(file.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return file;
  const std::unique_ptr<char, void (*)(void*)> path(::realpath(file.c_str(), nullptr), std::free);
  return path ? path.get() : file;
}

bool is_same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// Makes the rename itself durable. A file system that cannot sync a directory is no reason to fail: the
/// rename is done.
void sync_directory_of(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : file.substr(0, slash + 1);
  const FileDescriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) ::fsync(fd.get());
}

}  // namespace

Result<FileReplacement::Lock> FileReplacement::take_lock(const std::string& file) {
  const std::string path = file + ".tmp";
  for (;;) {
    FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0600));
    // A symbolic link is nobody's lock, and where it leads nothing may be made or written.
    if (!fd && errno == ELOOP) {
      if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_error("remove ", path, errno);
      continue;
    }
    if (!fd) return io_error("open ", path, errno);
    while (::flock(fd.get(), LOCK_EX) != 0)
      if (errno != EINTR) return io_error("lock ", path, errno);
    // Another editor may have renamed or removed the file that we waited for: then we hold a lock on nothing.
    struct stat ours {
    }, entry{};
    if (::fstat(fd.get(), &ours) != 0) return io_error("fstat ", path, errno);
    if (::lstat(path.c_str(), &entry) != 0) continue;
    if (!is_same_file(ours, entry)) continue;
    if (ours.st_nlink == 1) return Lock{path, std::move(fd)};
    // The name leads to some other file, too, which must not be written. As the holder of its lock, make a
    // new one.
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_error("remove ", path, errno);
  }
}

Result<FileReplacement> FileReplacement::begin(const std::string& file) {
  FileReplacement replacement;
  replacement.target_ = resolve_links(file);
  if (replacement.target_ != file) {
    Result<Lock> lock = take_lock(file);
    if (!lock) return lock.error();
    replacement.link_lock_ = std::move(*lock);
  }
  Result<Lock> lock = take_lock(replacement.target_);
  if (!lock) {
    replacement.discard();
    return lock.error();
  }
  replacement.lock_ = std::move(*lock);
  return replacement;
}

void FileReplacement::discard() {
  for (Lock* lock : {&lock_, &link_lock_}) {
    if (!lock->fd) continue;
    ::unlink(lock->path.c_str());
    *lock = Lock();
  }
}

Result<void> FileReplacement::commit(FileMode mode, RenameSync rename_sync) {
  Result<void> done = set_owner_and_mode(mode);
  if (done) done = rename_over(rename_sync);
  if (done) lock_ = Lock();
  discard();
  return done;
}

Result<void> FileReplacement::set_owner_and_mode(FileMode mode) const {
  struct stat wanted {
  }, ours{};
  const bool is_new = ::stat(target_.c_str(), &wanted) != 0;
  if (is_new && errno != ENOENT) return io_error("stat ", target_, errno);
  if (::fstat(fd(), &ours) != 0) return io_error("fstat ", temporary(), errno);
  wanted.st_mode = is_new ? mode.if_new : wanted.st_mode & mode.at_most;
  const bool same_owner = is_new || (wanted.st_uid == ours.st_uid && wanted.st_gid == ours.st_gid);
  // Only root can give a file away; anybody else keeps what they can of owner and group, as with Postfix's
  // tools.
  if (!same_owner && ::fchown(fd(), wanted.st_uid, wanted.st_gid) != 0 &&
      ::fchown(fd(), static_cast<uid_t>(-1), wanted.st_gid) != 0)
    wanted.st_mode &= ~static_cast<mode_t>(07000);
  if (::fchmod(fd(), wanted.st_mode & 07777) != 0) return io_error("fchmod ", temporary(), errno);
  return {};
}

Result<void> FileReplacement::rename_over(RenameSync rename_sync) const {
  if (::fsync(fd()) != 0) return io_error("fsync ", temporary(), errno);
  if (::rename(temporary().c_str(), target_.c_str()) != 0) return io_error("rename ", temporary(), errno);
  if (rename_sync == RenameSync::kNow) sync_directory_of(target_);
  return {};
}

}  // namespace libconf
