#include "libconf/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "libconf/handle.h"
#include "libconf/text.h"

namespace libconf {

Error io_error(std::string_view what, const std::string& file, int error_number) {
  return {.kind = ErrorKind::kInputOutput,
          .message = concat(what, file, ": ", std::generic_category().message(error_number)),
          .file = file};
}

namespace {

/// Ends the reading of a device that never ends.
constexpr std::size_t kMaxSize = std::size_t{256} << 20;

}  // namespace

Result<std::string> read_file(const std::string& file) {
  const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return io_error("open ", file, errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return io_error("fstat ", file, errno);
  // One byte more than the size tells the end of a regular file without a second read.
  std::string text(static_cast<std::size_t>(status.st_size) + 1, '\0');
  std::size_t filled = 0;
  for (;;) {
    const ssize_t count = ::read(fd.get(), text.data() + filled, text.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io_error("read ", file, errno);
    filled += static_cast<std::size_t>(count);
    const bool is_at_end =
        count == 0 || (S_ISREG(status.st_mode) && filled == static_cast<std::size_t>(status.st_size));
    if (is_at_end) break;
    if (filled > kMaxSize) return io_error("read ", file, EFBIG);
    if (filled == text.size()) text.resize(2 * text.size() + 4096);
  }
  text.resize(filled);
  return text;
}

int read_to_end(int fd, std::string& text, std::size_t limit) {
  std::array<char, 16384> block{};
  while (text.size() < limit) {
    const ssize_t count = ::read(fd, block.data(), block.size());
    if (count == 0) break;
    if (count > 0) text.append(block.data(), static_cast<std::size_t>(count));
    if (count < 0 && errno != EINTR) return errno;
  }
  return 0;
}

int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace libconf
