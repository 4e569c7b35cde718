#include "tools/mta/submission/wakeup.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "libconf/handle.h"
#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::FileDescriptor;
using libconf::Result;

/// As Postfix has it; its own services do not look at what it is.
constexpr char kWakeup = 'W';

Error failed(std::string_view step, const std::string& path) {
  const bool is_nobody = errno == ENOENT || errno == ECONNREFUSED || errno == ENXIO || errno == EAGAIN;
  return {.kind = is_nobody ? ErrorKind::kTemporary : ErrorKind::kInputOutput,
          .message = concat(step, " ", path, ": ", std::strerror(errno))};
}

Result<FileDescriptor> connect_to(const std::string& path, std::chrono::milliseconds limit) {
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return failed("socket", path);
  const auto microseconds = std::chrono::microseconds(limit).count();
  const timeval time{.tv_sec = microseconds / 1'000'000, .tv_usec = microseconds % 1'000'000};
  // What connect(2) waits for is that there is room for one more.
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
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

}  // namespace

Result<void> wake_up(const std::string& path, std::chrono::seconds limit) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return failed("unable to look up", path);
  Result<FileDescriptor> channel =
      S_ISFIFO(status.st_mode)
          ? Result<FileDescriptor>(FileDescriptor(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)))
          : connect_to(path, limit);
  if (!channel) return channel.error();
  if (!*channel) return failed("open", path);
  // MSG_NOSIGNAL is for sockets alone, and a fifo that nobody reads does not open.
  const ssize_t sent = S_ISFIFO(status.st_mode) ? ::write(channel->get(), &kWakeup, 1)
                                                : ::send(channel->get(), &kWakeup, 1, MSG_NOSIGNAL);
  if (sent != 1) return failed("write to", path);
  return {};
}

}  // namespace mta
