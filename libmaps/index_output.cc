#include "libmaps/index_output.h"

#include <unistd.h>

#include <cerrno>

#include "libmaps/system_error.h"

namespace libmaps {

IndexOutput::IndexOutput(int fd, std::uint64_t position)
    : fd_(fd), block_(new char[kBlockSize]), flushed_(position) {}

void IndexOutput::append_large(std::string_view bytes) {
  flush();
  if (bytes.size() <= kBlockSize) return append(bytes);
  write(bytes, flushed_);
  flushed_ += bytes.size();
}

void IndexOutput::flush() {
  write({block_.get(), filled_}, flushed_);
  flushed_ += filled_;
  filled_ = 0;
}

void IndexOutput::write(std::string_view bytes, std::uint64_t offset) {
  while (error_number_ == 0 && !bytes.empty()) {
    const ssize_t count = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0) {
      if (errno != EINTR) error_number_ = errno;
    } else {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
    }
  }
}

libconf::Result<void> IndexOutput::finish(std::string_view head) {
  flush();
  write(head, 0);
  if (error_number_ != 0) return system_error(error_number_);
  return {};
}

}  // namespace libmaps
