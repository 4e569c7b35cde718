#include "tools/mta/daemon/local_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::FileDescriptor;
using libconf::Result;

constexpr mode_t kSocketMode = 0666;
constexpr mode_t kPipeMode = 0622;

Error failed(std::string_view step, const std::string& path, int reason) {
  return {.kind = ErrorKind::kInputOutput, .message = concat(step, " ", path, ": ", std::strerror(reason))};
}

/// Removes what an earlier run left: a file of format `format` (inode(7)), and nothing else.
Result<void> remove_old(const std::string& path, mode_t format) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0)
    return errno == ENOENT ? Result<void>() : Result<void>(failed("stat", path, errno));
  if ((status.st_mode & S_IFMT) != format) return failed("bind", path, EADDRINUSE);
  if (::unlink(path.c_str()) != 0) return failed("remove", path, errno);
  return {};
}

Result<void> give(const std::string& path, const std::optional<Identity>& owner, mode_t mode) {
  if (owner && ::lchown(path.c_str(), owner->user, owner->group) != 0) return failed("chown", path, errno);
  if (::chmod(path.c_str(), mode) != 0) return failed("chmod", path, errno);
  return {};
}

}  // namespace

Result<FileDescriptor> make_local_socket(const std::string& path, int type,
                                         const std::optional<Identity>& owner) {
  sockaddr_un address{.sun_family = AF_UNIX};
  if (path.size() >= sizeof address.sun_path) return failed("bind", path, ENAMETOOLONG);
  path.copy(address.sun_path, path.size());
  if (Result<void> removed = remove_old(path, S_IFSOCK); !removed) return removed.error();
  FileDescriptor socket(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return failed("socket", path, errno);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return failed("bind", path, errno);
  if (Result<void> given = give(path, owner, kSocketMode); !given) return given.error();
  if (type == SOCK_STREAM && ::listen(socket.get(), SOMAXCONN) != 0) return failed("listen", path, errno);
  return socket;
}

Result<FileDescriptor> make_named_pipe(const std::string& path, const std::optional<Identity>& owner) {
  if (Result<void> removed = remove_old(path, S_IFIFO); !removed) return removed.error();
  if (::mkfifo(path.c_str(), 0600) != 0) return failed("mkfifo", path, errno);
  // Opened for writing also, there is always a writer, and so never an end.
  FileDescriptor pipe(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  if (!pipe) return failed("open", path, errno);
  if (Result<void> given = give(path, owner, kPipeMode); !given) return given.error();
  return pipe;
}

FileDescriptor receive_descriptor(int socket) {
  char byte = 0;
  iovec data{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.data(), .msg_controllen = control.size()};
  if (::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0) return {};
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
      header->cmsg_len != CMSG_LEN(sizeof(int)))
    return {};
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
  return FileDescriptor(descriptor);
}

}  // namespace mta
