#include "tools/deliver_as/file_text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "libconf/handle.h"
#include "libconf/text.h"
#include "tools/mta/delivery/user_action_wire.h"

namespace deliver_as {
namespace {

using State = mta::FileText::State;

mta::FileText other(State state, std::string reason) {
  return {.state = state, .owner = {}, .text = {}, .reason = std::move(reason)};
}

}  // namespace

mta::FileText read_text(const std::string& path) {
  const libconf::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  if (!file && (errno == ENOENT || errno == ENOTDIR)) return other(State::kAbsent, std::strerror(errno));
  if (!file && errno == ELOOP) return other(State::kRefused, "is not a regular file");
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) return other(State::kUnavailable, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return other(State::kRefused, "is not a regular file");
  if ((status.st_mode & S_IWOTH) != 0) return other(State::kRefused, "is world writable");
  if (static_cast<std::uint64_t>(status.st_size) > mta::kLongestFile)
    return other(State::kRefused, "is too long");
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return other(State::kUnavailable, std::strerror(errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return {.state = State::kText,
          .owner = {.user = status.st_uid, .group = status.st_gid},
          .text = std::move(text),
          .reason = {}};
}

}  // namespace deliver_as
