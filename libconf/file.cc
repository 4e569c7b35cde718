#include "libconf/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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

Result<std::string> read_file(const std::string& file) {
  const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return io_error("open ", file, errno);
  std::string text;
  struct stat status {};
  if (::fstat(fd.get(), &status) == 0 && status.st_size > 0) text.reserve(static_cast<std::size_t>(status.st_size));
  char buffer[65536];
  for (;;) {
    const ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
    if (count == 0) return text;
    if (count > 0) {
      text.append(buffer, static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return io_error("read ", file, errno);
    }
  }
}

}  // namespace libconf
