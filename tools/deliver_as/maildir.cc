#include "tools/deliver_as/maildir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "libconf/file.h"
#include "libconf/handle.h"
#include "libconf/text.h"
#include "tools/deliver_as/copy_message.h"
#include "tools/deliver_as/file_limit.h"
#include "tools/deliver_as/mailbox_file.h"

namespace deliver_as {
namespace {

using libconf::concat;
using libconf::FileDescriptor;
using mta::ActionFault;
using mta::MailboxDelivery;
using Fault = std::optional<ActionFault>;

constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;

ActionFault fault(std::string_view what, const std::string& path, int error) {
  return write_fault(error, concat(what, " maildir file ", path, ": ", std::strerror(error)));
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  // A slash would lead elsewhere, and a colon starts the flags of a message.
  for (char& each : name)
    if (each == '/' || each == ':') each = '_';
  return name.data();
}

/// With all above it. Returns 0 or an errno.
int make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), S_IRWXU) == 0 || errno == EEXIST) return 0;
  const std::size_t slash = path.find_last_of('/');
  if (errno != ENOENT || slash == std::string::npos || slash == 0) return errno;
  if (const int error = make_directory(path.substr(0, slash)); error != 0) return error;
  return ::mkdir(path.c_str(), S_IRWXU) == 0 || errno == EEXIST ? 0 : errno;
}

int make_maildir(const std::string& path) {
  for (const char* name : {"tmp", "new", "cur"})
    if (const int error = make_directory(path + name); error != 0) return error;
  return 0;
}

/// A file in tmp/, which goes with the object unless it was moved.
class NewFile {
 public:
  explicit NewFile(std::string path) : path_(std::move(path)) {}
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (file_) ::unlink(path_.c_str());
  }
  /// Returns 0 or an errno.
  int make() {
    file_ = FileDescriptor(
        ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kOwnerOnly));
    return file_ ? 0 : errno;
  }
  int get() const { return file_.get(); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  FileDescriptor file_;
};

/// TIME.Vdevice Iinode Mmicroseconds.HOST: no two files have this name at a time.
Fault move_to_new(const NewFile& file, const std::string& maildir, const std::string& host) {
  struct stat status {};
  timeval now{};
  ::gettimeofday(&now, nullptr);
  if (::fstat(file.get(), &status) != 0) return fault("stat", file.path(), errno);
  std::array<char, 128> unique{};
  std::snprintf(unique.data(), unique.size(), "%lu.V%lxI%lxM%lu.", static_cast<unsigned long>(now.tv_sec),
                static_cast<unsigned long>(status.st_dev), static_cast<unsigned long>(status.st_ino),
                static_cast<unsigned long>(now.tv_usec));
  const std::string path = concat(maildir, "new/", unique.data(), host);
  // link(2) replaces nothing, as rename(2) would; the first name goes with the object.
  if (::link(file.path().c_str(), path.c_str()) != 0) return fault("create", path, errno);
  const FileDescriptor directory(::open(concat(maildir, "new").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) {
    const int error = errno;
    ::unlink(path.c_str());
    return fault("sync", path, error);
  }
  return std::nullopt;
}

Fault deliver(const MailboxDelivery& delivery, int message) {
  const std::string host = host_name();
  timeval now{};
  ::gettimeofday(&now, nullptr);
  NewFile file(
      concat(delivery.path, "tmp/", std::to_string(now.tv_sec), ".P", std::to_string(::getpid()), ".", host));
  int error = file.make();
  if (error == ENOENT) {
    error = make_maildir(delivery.path);
    if (error == 0) error = file.make();
  }
  if (error != 0) return fault("create", file.path(), error);
  const FileLimit limit(delivery.size_limit);
  if (auto copied = copy_message(message, delivery.copy,
                                 [&](std::string_view text) { return libconf::write_all(file.get(), text); }))
    return write_fault(copied->error, std::move(copied->reason));
  if (::fsync(file.get()) != 0) return fault("write", file.path(), errno);
  return move_to_new(file, delivery.path, host);
}

}  // namespace

mta::ActionResult deliver_to_maildir(const MailboxDelivery& delivery, int message) {
  return {.fault = deliver(delivery, message)};
}

}  // namespace deliver_as
