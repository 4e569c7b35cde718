#include "libmaps/berkeley_db_writer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>

#include "libmaps/system_error.h"

namespace libmaps::berkeley_db {
namespace {

/// Without a log, log sequence numbers are file 0, offset 1.
constexpr std::uint32_t kNotLogged = 1;

/// The pages of a window: large enough for the system call not to count, small enough for the cache.
constexpr std::uint32_t kWindowPages = 64;

}  // namespace

void PageBuilder::begin(std::uint32_t number, PageType type, std::uint8_t level) {
  offsets_end_ = page::kHeadSize;
  lowest_ = kPageSize;
  store(bytes_ + page::kLogOffset, kNotLogged);
  store(bytes_ + page::kNumber, number);
  bytes_[page::kLevel] = static_cast<char>(level);
  bytes_[page::kType] = static_cast<char>(type);
}

std::string_view PageBuilder::finish(std::uint32_t previous, std::uint32_t next) {
  const std::size_t entries = (offsets_end_ - page::kHeadSize) / page::kOffsetSize;
  store(bytes_ + page::kPrevious, previous);
  store(bytes_ + page::kNext, next);
  store(bytes_ + page::kEntries, static_cast<std::uint16_t>(entries));
  store(bytes_ + page::kLowest, static_cast<std::uint16_t>(lowest_));
  // What a page before this one left.
  std::memset(bytes_ + offsets_end_, 0, lowest_ - offsets_end_);
  return {bytes_, kPageSize};
}

PageWriter::PageWriter(int fd, std::uint32_t first)
    : fd_(fd),
      next_(first),
      window_start_(first),
      window_end_(first),
      window_(std::make_unique<char[]>(std::size_t{kWindowPages} * kPageSize)) {}

void PageWriter::put(std::uint32_t number, std::string_view page) {
  if (number < window_start_) {
    write(page.data(), page.size(), number);
    return;
  }
  if (number - window_start_ >= kWindowPages) {
    flush();
    window_start_ = number;
    window_end_ = number;
  }
  char* window = window_.get();
  const std::size_t end = std::size_t{window_end_ - window_start_} * kPageSize;
  const std::size_t start = std::size_t{number - window_start_} * kPageSize;
  // Pages that are left out may come yet.
  if (start > end) std::memset(window + end, 0, start - end);
  std::memcpy(window + start, page.data(), page.size());
  window_end_ = std::max(window_end_, number + 1);
}

std::uint32_t PageWriter::put_overflow(const StoredText& item) {
  alignas(8) char bytes[kPageSize];
  const std::uint32_t first = next_;
  std::size_t done = 0;
  std::uint32_t previous = 0;
  while (done < item.size()) {
    const std::uint32_t number = allocate();
    const std::size_t length = std::min(item.size() - done, PageBuilder::kCapacity);
    const std::string_view part = item.text.substr(std::min(done, item.text.size()), length);
    done += length;
    std::memset(bytes, 0, sizeof bytes);
    store(bytes + page::kLogOffset, kNotLogged);
    store(bytes + page::kNumber, number);
    store(bytes + page::kPrevious, previous);
    store(bytes + page::kNext, done < item.size() ? next_ : 0);
    store(bytes + page::kEntries, std::uint16_t{1});
    store(bytes + page::kLowest, static_cast<std::uint16_t>(length));
    bytes[page::kType] = static_cast<char>(PageType::kOverflow);
    // A NUL at the end of the item is there already.
    std::memcpy(bytes + page::kHeadSize, part.data(), part.size());
    put(number, {bytes, sizeof bytes});
    previous = number;
  }
  return first;
}

libconf::Result<void> PageWriter::finish() {
  flush();
  if (error_ != 0) return system_error(error_);
  return {};
}

void PageWriter::flush() {
  write(window_.get(), std::size_t{window_end_ - window_start_} * kPageSize, window_start_);
  window_start_ = window_end_;
}

void PageWriter::write(const char* from, std::size_t size, std::uint32_t first) {
  auto offset = static_cast<off_t>(first) * static_cast<off_t>(kPageSize);
  while (size != 0 && error_ == 0) {
    const ssize_t count = ::pwrite(fd_, from, size, offset);
    if (count < 0) {
      if (errno != EINTR) error_ = errno;
      continue;
    }
    from += count;
    size -= static_cast<std::size_t>(count);
    offset += count;
  }
}

libconf::Error too_large() {
  return {.kind = libconf::ErrorKind::kUnsupported, .message = "too much data for a Berkeley DB file"};
}

void begin_metadata(char* page, int fd, std::uint32_t magic, PageType type, std::uint32_t last_page) {
  std::memset(page, 0, kPageSize);
  store(page + metadata::kLogOffset, kNotLogged);
  store(page + metadata::kMagic, magic);
  store(page + metadata::kVersion, kFileVersion);
  store(page + metadata::kPageSize, kPageSize);
  page[metadata::kPageType] = static_cast<char>(type);
  store(page + metadata::kLastPage, last_page);

  // As libdb does it: the file's place, then something that differs from one file at that place to the next.
  struct stat status {};
  if (::fstat(fd, &status) == 0) {
    store(page + metadata::kFileId, static_cast<std::uint32_t>(status.st_ino));
    store(page + metadata::kFileId + 4, static_cast<std::uint32_t>(status.st_dev));
  }
  std::random_device random;
  store(page + metadata::kFileId + 8, static_cast<std::uint32_t>(random()));
  store(page + metadata::kFileId + 12, static_cast<std::uint32_t>(random()));
}

}  // namespace libmaps::berkeley_db
