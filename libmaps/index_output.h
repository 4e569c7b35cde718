/// Writes an index file, or a part of one, from its start to its end in large blocks.
///
///     IndexOutput out(fd);
///     out.append(record);
///     if (Result<void> written = out.finish(); !written) return written.error();
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "libconf/result.h"

namespace libmaps {

/// After the first error nothing more is written, and finish() returns that error: no other call needs to be
/// checked. Not thread-safe. The descriptor belongs to the caller.
class IndexOutput {
 public:
  /// `fd` is open for writing. The first byte goes to `position` in the file.
  explicit IndexOutput(int fd, std::uint64_t position = 0);

  /// Where in the file the next byte goes.
  std::uint64_t position() const { return flushed_ + filled_; }

  /// The next `size` bytes of the file, for the caller to fill before the next call. REQUIRES: size is at
  /// most kBlockSize.
  char* extend(std::size_t size) {
    if (kBlockSize - filled_ < size) flush();
    char* bytes = block_.get() + filled_;
    filled_ += size;
    return bytes;
  }

  void append(std::string_view bytes) {
    if (kBlockSize - filled_ < bytes.size()) return append_large(bytes);
    if (!bytes.empty()) std::memcpy(block_.get() + filled_, bytes.data(), bytes.size());
    filled_ += bytes.size();
  }

  /// Writes what is left, and then `head` over the first bytes of the file, which are often known last.
  /// Errors: kInputOutput, the reason alone.
  libconf::Result<void> finish(std::string_view head = {});

  static constexpr std::size_t kBlockSize = std::size_t{1} << 20;

 private:
  void flush();
  void append_large(std::string_view bytes);
  void write(std::string_view bytes, std::uint64_t offset);

  int fd_;
  int error_number_ = 0;
  std::unique_ptr<char[]> block_;
  std::size_t filled_ = 0;
  std::uint64_t flushed_;
};

}  // namespace libmaps
