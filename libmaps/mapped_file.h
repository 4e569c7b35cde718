/// A file's bytes in memory, without reading them first.
///
///     auto file = MappedFile::open("/etc/postfix/virtual.cdb");
///     if (!file) return file.error();
///     use(file->bytes());
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "libconf/handle.h"
#include "libconf/result.h"

namespace libmaps {

/// Movable, not copyable, not thread-safe. Views of the bytes survive a move. A file that another process
/// makes shorter meanwhile ends this process (SIGBUS): lock files that are changed in place.
class MappedFile {
 public:
  /// Errors: kInputOutput, the reason alone.
  static libconf::Result<MappedFile> open(const std::string& path);

  /// Maps what `fd` has open for reading, and owns it. Errors: as open().
  static libconf::Result<MappedFile> adopt(libconf::FileDescriptor fd);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::string_view bytes() const { return {static_cast<const char*>(address_), size_}; }
  int fd() const { return fd_.get(); }

  /// Brings bytes() to the file's present size. When that has changed, earlier views are void. Errors:
  /// kInputOutput, the reason alone; bytes() are then as before.
  libconf::Result<void> refresh();

 private:
  explicit MappedFile(libconf::FileDescriptor fd) : fd_(std::move(fd)) {}

  libconf::FileDescriptor fd_;
  void* address_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace libmaps
