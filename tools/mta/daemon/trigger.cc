#include "tools/mta/daemon/trigger.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "libconf/handle.h"

namespace mta {
namespace {

using libconf::FileDescriptor;

/// Empty, with errno set: nobody is there.
FileDescriptor open_service(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  if (S_ISFIFO(status.st_mode))
    return FileDescriptor(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  sockaddr_un address{.sun_family = AF_UNIX};
  errno = ENAMETOOLONG;
  if (path.size() >= sizeof address.sun_path) return {};
  path.copy(address.sun_path, path.size());
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return {};
  return socket;
}

}  // namespace

libconf::Result<void> trigger(const std::string& path, std::string_view requests) {
  // Ended with a null byte, as Postfix's programs send it.
  const std::string message(std::string(requests) + '\0');
  const FileDescriptor service = open_service(path);
  if (service &&
      ::write(service.get(), message.data(), message.size()) == static_cast<ssize_t>(message.size()))
    return {};
  return libconf::Error{.kind = libconf::ErrorKind::kInputOutput, .message = std::strerror(errno)};
}

}  // namespace mta
