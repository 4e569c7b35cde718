#include "libmaps/berkeley_db_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "libconf/file.h"
#include "libmaps/berkeley_db_check.h"

namespace libmaps {

using libconf::io_error;

Result<BerkeleyDbFile> BerkeleyDbFile::open(const std::string& path, BerkeleyDbKind kind) {
  BerkeleyDbFile file(kind);
  file.path_ = path;
  file.fd_ = libconf::FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.fd_) return io_error("open ", path, errno);
  if (Result<void> done = file.refresh(); !done) return done.error();
  return file;
}

Result<BerkeleyDbFile> BerkeleyDbFile::from_bytes(std::string_view bytes, BerkeleyDbKind kind) {
  BerkeleyDbFile file(kind);
  file.bytes_ = bytes;
  if (Result<void> done = file.read_metadata(); !done) return done.error();
  return file;
}

BerkeleyDbFile::BerkeleyDbFile(BerkeleyDbFile&& other) noexcept : kind_(other.kind_) {
  *this = std::move(other);
}

BerkeleyDbFile& BerkeleyDbFile::operator=(BerkeleyDbFile&& other) noexcept {
  std::swap(kind_, other.kind_);
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  std::swap(mapping_, other.mapping_);
  std::swap(bytes_, other.bytes_);
  std::swap(content_, other.content_);
  return *this;
}

BerkeleyDbFile::~BerkeleyDbFile() {
  if (mapping_ != nullptr) ::munmap(mapping_, bytes_.size());
}

Result<void> BerkeleyDbFile::refresh() {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) return io_error("fstat ", path_, errno);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (mapping_ == nullptr || size != bytes_.size()) {
    if (mapping_ != nullptr) ::munmap(mapping_, bytes_.size());
    mapping_ = nullptr;
    bytes_ = {};
    if (size != 0) {
      // Shared, so that changes in place are seen.
      void* mapping = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd_.get(), 0);
      if (mapping == MAP_FAILED) return io_error("mmap ", path_, errno);
      mapping_ = mapping;
      bytes_ = {static_cast<const char*>(mapping), size};
    }
  }
  return read_metadata();
}

Result<void> BerkeleyDbFile::read_metadata() {
  const auto keep = [&](const auto& content) -> Result<void> {
    if (!content) return content.error();
    content_ = *content;
    return {};
  };
  return kind_ == BerkeleyDbKind::kHash ? keep(berkeley_db::HashFile::open(bytes_))
                                        : keep(berkeley_db::BtreeFile::open(bytes_));
}

Result<std::optional<std::string_view>> BerkeleyDbFile::find(std::string_view key,
                                                             std::string& scratch) const {
  return std::visit([&](const auto& content) { return content.find(key, scratch); }, content_);
}

Result<void> BerkeleyDbFile::for_each(const EntryVisitor& visit) const {
  return std::visit([&](const auto& content) { return content.for_each(visit); }, content_);
}

Result<void> BerkeleyDbFile::check_structure() const {
  return std::visit([](const auto& content) { return berkeley_db::check_structure(content); }, content_);
}

}  // namespace libmaps
