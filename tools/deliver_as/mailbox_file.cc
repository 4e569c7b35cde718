#include "tools/deliver_as/mailbox_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "libconf/file.h"
#include "libconf/handle.h"
#include "libconf/text.h"
#include "tools/deliver_as/copy_message.h"
#include "tools/deliver_as/file_limit.h"

namespace deliver_as {
namespace {

using libconf::concat;
using libconf::FileDescriptor;
using mta::ActionFault;
using mta::MailboxDelivery;
using Fault = std::optional<ActionFault>;

constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;

ActionFault fault(std::string reason) { return {.code = "4.2.0", .reason = std::move(reason)}; }
ActionFault fault(std::string_view what, int error) {
  return fault(concat(what, ": ", std::strerror(error)));
}

/// What another user could have prepared to get somebody's mail, or to change somebody's file.
Fault refuse(const struct stat& status, const MailboxDelivery& delivery) {
  if (!S_ISREG(status.st_mode)) {
    if (delivery.may_be_special && !S_ISDIR(status.st_mode)) return std::nullopt;
    return fault("destination is not a regular file");
  }
  if (status.st_nlink > 1) return fault(concat("file has ", std::to_string(status.st_nlink), " hard links"));
  if (delivery.must_be_owned && status.st_uid != ::geteuid()) {
    return fault(concat("destination ", delivery.path, " is not owned by recipient"));
  }
  return std::nullopt;
}

/// Whoever should read a pipe may not be there, so that opening does not wait.
constexpr int kOpenFlags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

Fault open_to_append(const std::string& path, bool is_there, FileDescriptor& file) {
  if (!is_there) {
    file = FileDescriptor(::open(path.c_str(), kOpenFlags | O_CREAT | O_EXCL, kOwnerOnly));
    if (file) return std::nullopt;
    if (errno != EEXIST) return fault("cannot create file exclusively", errno);
  }
  file = FileDescriptor(::open(path.c_str(), kOpenFlags));
  if (file) return std::nullopt;
  const int error = errno;
  struct stat status {};
  if (error != ELOOP) return fault("cannot open file", error);
  if (::stat(path.c_str(), &status) != 0) return fault("cannot open file", errno);
  return fault("file is a symbolic link");
}

Fault write_message(int file, const struct stat& before, const MailboxDelivery& delivery, int message) {
  const bool is_regular = S_ISREG(before.st_mode);
  const FileLimit limit(is_regular ? delivery.size_limit : 0);
  std::optional<CopyFault> copied = copy_message(
      message, delivery.copy, [&](std::string_view text) { return libconf::write_all(file, text); });
  if (!copied && is_regular && ::fsync(file) != 0)
    copied = CopyFault{concat("error writing message: ", std::strerror(errno)), errno};
  if (!copied) return std::nullopt;
  if (is_regular && ::ftruncate(file, before.st_size) != 0)
    copied->reason += concat("; and truncating the file failed: ", std::strerror(errno));
  return write_fault(copied->error, std::move(copied->reason));
}

Fault append(const MailboxDelivery& delivery, int message, mta::ActionResult& result) {
  struct stat status {};
  const bool is_there = ::lstat(delivery.path.c_str(), &status) == 0;
  const bool is_special = is_there && delivery.may_be_special && !S_ISREG(status.st_mode);
  mta::DotLock dot_lock;
  if (!is_special && (delivery.locks.methods & mta::kLockDotFile) != 0) {
    if (const int error = dot_lock.take(delivery.path, delivery.locks); error != 0) {
      ActionFault failed = fault(concat("unable to create lock file ", delivery.path, ".lock"), error);
      if (error == EEXIST || delivery.needs_dot_lock) return failed;
      result.warning = std::move(failed.reason);
    }
  }
  FileDescriptor file;
  if (Fault failed = open_to_append(delivery.path, is_there, file)) return failed;
  if (::fstat(file.get(), &status) != 0) return fault("cannot open file", errno);
  if (Fault failed = refuse(status, delivery)) return failed;
  ::fcntl(file.get(), F_SETFL, ::fcntl(file.get(), F_GETFL) & ~O_NONBLOCK);
  if (S_ISREG(status.st_mode)) {
    if (const int error = mta::lock_file(file.get(), delivery.locks); error != 0)
      return fault("unable to lock for exclusive access", error);
    // Somebody may have written before the lock was had.
    if (::fstat(file.get(), &status) != 0) return fault("cannot open file", errno);
    result.offset = static_cast<std::uint64_t>(status.st_size);
  }
  return write_message(file.get(), status, delivery, message);
}

}  // namespace

ActionFault write_fault(int error, std::string reason) {
  if (error == EFBIG || error == EDQUOT) return {.code = "5.2.2", .reason = std::move(reason)};
  return {.code = error == ENOSPC ? "4.3.0" : "4.2.0", .reason = std::move(reason)};
}

mta::ActionResult append_to_file(const MailboxDelivery& delivery, int message) {
  mta::ActionResult result;
  result.fault = append(delivery, message, result);
  return result;
}

}  // namespace deliver_as
