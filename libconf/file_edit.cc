#include "libconf/file_edit.h"

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

Result<void> write_all(int fd, std::string_view text, const std::string& file) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return io_error("write ", file, errno);
    }
  }
  return {};
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

Result<FileEdit::Lock> FileEdit::take_lock(const std::string& file) {
  const std::string path = file + ".tmp";
  for (;;) {
    FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600));
    if (!fd) return io_error("open ", path, errno);
    while (::flock(fd.get(), LOCK_EX) != 0)
      if (errno != EINTR) return io_error("lock ", path, errno);
    // Another editor may have renamed or removed the file that we waited for: then we hold a lock on nothing.
    struct stat ours {
    }, entry{};
    if (::fstat(fd.get(), &ours) != 0) return io_error("fstat ", path, errno);
    if (::lstat(path.c_str(), &entry) != 0) continue;
    const bool is_link = S_ISLNK(entry.st_mode);
    if (!is_link && !is_same_file(ours, entry)) continue;
    if (!is_link && ours.st_nlink == 1) return Lock{path, std::move(fd)};
    // The name leads to some other file, too, which must not be written. As the holder of its lock, make a
    // new one.
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_error("remove ", path, errno);
  }
}

Result<FileEdit> FileEdit::begin(const std::string& file) {
  FileEdit edit;
  edit.target_ = resolve_links(file);
  if (edit.target_ != file) {
    Result<Lock> lock = take_lock(file);
    if (!lock) return lock.error();
    edit.link_lock_ = std::move(*lock);
  }
  Result<Lock> lock = take_lock(edit.target_);
  if (!lock) {
    edit.discard();
    return lock.error();
  }
  edit.lock_ = std::move(*lock);

  Result<std::string> text = read_file(edit.target_);
  if (!text) {
    edit.discard();
    Error error = text.error();
    const std::string opening = concat("open ", edit.target_);
    if (error.message.starts_with(opening))
      error.message = concat("open ", file, " for reading", error.message.substr(opening.size()));
    return error;
  }
  edit.original_ = std::move(*text);
  return edit;
}

void FileEdit::discard() {
  for (Lock* lock : {&lock_, &link_lock_}) {
    if (!lock->fd) continue;
    ::unlink(lock->path.c_str());
    *lock = Lock();
  }
}

Result<bool> FileEdit::commit(std::string_view text) {
  if (text == original_) {
    discard();
    return false;
  }
  Result<void> written = write_and_rename(text);
  if (written) lock_ = Lock();
  discard();
  if (!written) return written.error();
  return true;
}

Result<void> FileEdit::write_and_rename(std::string_view text) {
  const int fd = lock_.fd.get();
  if (::ftruncate(fd, 0) != 0) return io_error("truncate ", lock_.path, errno);
  if (Result<void> written = write_all(fd, text, lock_.path); !written) return written;
  struct stat wanted {
  }, ours{};
  if (::stat(target_.c_str(), &wanted) != 0) return io_error("stat ", target_, errno);
  if (::fstat(fd, &ours) != 0) return io_error("fstat ", lock_.path, errno);
  const bool same_owner = wanted.st_uid == ours.st_uid && wanted.st_gid == ours.st_gid;
  // Only root can give a file away; anybody else keeps what they can of owner and group, as with Postfix's
  // tools.
  if (!same_owner && ::fchown(fd, wanted.st_uid, wanted.st_gid) != 0 &&
      ::fchown(fd, static_cast<uid_t>(-1), wanted.st_gid) != 0)
    wanted.st_mode &= ~static_cast<mode_t>(07000);
  if (::fchmod(fd, wanted.st_mode & 07777) != 0) return io_error("fchmod ", lock_.path, errno);
  if (::fsync(fd) != 0) return io_error("fsync ", lock_.path, errno);
  if (::rename(lock_.path.c_str(), target_.c_str()) != 0) return io_error("rename ", lock_.path, errno);
  sync_directory_of(target_);
  return {};
}

}  // namespace libconf
