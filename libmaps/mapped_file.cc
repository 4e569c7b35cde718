#include "libmaps/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "libmaps/system_error.h"

namespace libmaps {

using libconf::FileDescriptor;
using libconf::Result;

Result<MappedFile> MappedFile::open(const std::string& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return system_error(errno);
  return adopt(std::move(fd));
}

Result<MappedFile> MappedFile::adopt(FileDescriptor fd) {
  MappedFile file(std::move(fd));
  if (const Result<void> mapped = file.refresh(); !mapped) return mapped.error();
  return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : fd_(std::move(other.fd_)),
      address_(std::exchange(other.address_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(address_, other.address_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (address_ != nullptr) ::munmap(address_, size_);
}

Result<void> MappedFile::refresh() {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) return system_error(errno);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == size_) return {};
  // An empty file cannot be mapped, and need not be.
  void* address = nullptr;
  if (size > 0) address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd_.get(), 0);
  if (address == MAP_FAILED) return system_error(errno);
  if (address_ != nullptr) ::munmap(address_, size_);
  address_ = address;
  size_ = size;
  return {};
}

}  // namespace libmaps
