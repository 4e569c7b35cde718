#include "libmaps/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "libconf/file.h"

namespace libmaps {
namespace {

using libconf::io_error;
using libconf::Result;

int try_flock(int fd, LockMode mode) {
  switch (mode) {
    case LockMode::kShared:
      return ::flock(fd, LOCK_SH);
    case LockMode::kExclusive:
      return ::flock(fd, LOCK_EX);
    case LockMode::kUnlock:
      break;
  }
  return ::flock(fd, LOCK_UN);
}

int try_fcntl(int fd, LockMode mode) {
  struct flock lock {};
  lock.l_type = static_cast<short>(mode == LockMode::kShared      ? F_RDLCK
                                   : mode == LockMode::kExclusive ? F_WRLCK
                                                                  : F_UNLCK);
  lock.l_whence = SEEK_SET;
  return ::fcntl(fd, F_SETLKW, &lock);
}

}  // namespace

Result<void> set_lock(int fd, LockStyle style, LockMode mode) {
  if (style == LockStyle::kNone) return {};
  while ((style == LockStyle::kFlock ? try_flock(fd, mode) : try_fcntl(fd, mode)) != 0)
    if (errno != EINTR) return io_error("lock", "", errno);
  return {};
}

Result<FileLock> FileLock::open(const std::string& path, LockStyle style, LockMode mode) {
  for (;;) {
    libconf::FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd && errno == ENOENT) return FileLock();
    if (!fd) return io_error("open database ", path, errno);
    if (Result<void> locked = set_lock(fd.get(), style, mode); !locked) return locked.error();
    struct stat ours {
    }, entry{};
    if (::fstat(fd.get(), &ours) != 0) return io_error("fstat ", path, errno);
    if (::stat(path.c_str(), &entry) == 0 && entry.st_dev == ours.st_dev && entry.st_ino == ours.st_ino)
      return FileLock(std::move(fd));
  }
}

}  // namespace libmaps
