#include "tools/mta/daemon/trigger.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::FileDescriptor;
using libconf::Result;

Error failed(std::string_view step, const std::string& path) {
  const bool is_nobody = errno == ENOENT || errno == ECONNREFUSED || errno == ENXIO || errno == EAGAIN;
  return {.kind = is_nobody ? ErrorKind::kTemporary : ErrorKind::kInputOutput,
          .message = concat(step, " ", path, ": ", std::strerror(errno))};
}

}  // namespace

Result<FileDescriptor> connect_local(const std::string& path, std::chrono::seconds limit, int type) {
  FileDescriptor socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!socket) return failed("socket", path);
  const timeval time{.tv_sec = limit.count(), .tv_usec = 0};
  // What connect(2) waits for is that there is room for one more.
  for (const int direction : {SO_SNDTIMEO, SO_RCVTIMEO})
    ::setsockopt(socket.get(), SOL_SOCKET, direction, &time, sizeof time);
  sockaddr_un address{.sun_family = AF_UNIX};
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return failed("connect to", path);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return failed("connect to", path);
  return socket;
}

Result<void> trigger(const std::string& path, std::string_view requests, std::chrono::seconds limit) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return failed("unable to look up", path);
  const bool is_pipe = S_ISFIFO(status.st_mode);
  Result<FileDescriptor> channel =
      is_pipe
          ? Result<FileDescriptor>(FileDescriptor(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)))
          : connect_local(path, limit);
  if (!channel) return channel.error();
  if (!*channel) return failed("open", path);
  // Ended with a null byte, as Postfix's programs send it.
  const std::string message = concat(requests, std::string_view("\0", 1));
  // MSG_NOSIGNAL is for sockets alone, and a fifo that nobody reads does not open.
  const ssize_t sent = is_pipe ? ::write(channel->get(), message.data(), message.size())
                               : ::send(channel->get(), message.data(), message.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(message.size())) return failed("write to", path);
  return {};
}

}  // namespace mta
