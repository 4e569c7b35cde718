/// Writes the pages of new Berkeley DB files: what the writers of both kinds share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "libconf/result.h"
#include "libmaps/berkeley_db_format.h"

namespace libmaps::berkeley_db {

/// What makes the stored form of a key or value of its text.
struct StoredText {
  std::string_view text;
  bool null_terminated = false;

  std::size_t size() const { return text.size() + (null_terminated ? 1 : 0); }
  /// Copies the stored form to `to`, and returns its end.
  char* copy_to(char* to) const {
    std::memcpy(to, text.data(), text.size());
    to += text.size();
    if (null_terminated) *to++ = '\0';
    return to;
  }
  std::string str() const {
    std::string stored(size(), '\0');
    copy_to(stored.data());
    return stored;
  }
};

/// A page that is being filled: items from its end, their offsets from its start.
class PageBuilder {
 public:
  static constexpr std::size_t kCapacity = kPageSize - page::kHeadSize;

  /// Starts a page. Links are 0 until set.
  void begin(std::uint32_t number, PageType type, std::uint8_t level);

  /// Bytes in use, of kCapacity.
  std::size_t used() const { return kCapacity - (lowest_ - offsets_end_); }
  bool is_empty() const { return offsets_end_ == page::kHeadSize; }

  /// Adds an item of `size` bytes, which the caller writes to where this points. REQUIRES: used() +
  /// page::kOffsetSize + size <= kCapacity.
  char* add(std::size_t size) {
    lowest_ -= size;
    store(bytes_ + offsets_end_, static_cast<std::uint16_t>(lowest_));
    offsets_end_ += page::kOffsetSize;
    return bytes_ + lowest_;
  }

  /// The finished page: valid until begin().
  std::string_view finish(std::uint32_t previous, std::uint32_t next);

 private:
  alignas(8) char bytes_[kPageSize] = {};
  std::size_t offsets_end_ = page::kHeadSize;
  std::size_t lowest_ = kPageSize;
};

/// Numbers pages from `first` on, and writes them to a file in large pieces. Pages that come out of order, or
/// not at all, are fine: the latter are zeros.
class PageWriter {
 public:
  PageWriter(int fd, std::uint32_t first);

  /// The number of a page to be put later.
  std::uint32_t allocate() { return next_++; }
  /// The number that allocate() gives next.
  std::uint32_t next() const { return next_; }

  /// Writes a page, at its number.
  void put(std::uint32_t number, std::string_view page);

  /// Writes an item to pages of its own. Returns the first one's number.
  std::uint32_t put_overflow(const StoredText& item);

  /// Writes what is still in memory. Errors: the first one of all functions; kInputOutput.
  libconf::Result<void> finish();

 private:
  void flush();
  void write(const char* from, std::size_t size, std::uint32_t first);

  int fd_;
  std::uint32_t next_;
  std::uint32_t window_start_;
  std::uint32_t window_end_;  ///< After the last page in the window.
  std::unique_ptr<char[]> window_;
  int error_ = 0;
};

/// What both kinds of metadata pages start with. The rest is zeros. `fd` gives the file an identity.
void begin_metadata(char* page, int fd, std::uint32_t magic, PageType type, std::uint32_t last_page);

/// The largest size of an item: its length has 32 bits.
inline constexpr std::size_t kMaxItemSize = 0xFFFFFFFF;
/// The error for more than that, or for more entries than 32 bits can count.
libconf::Error too_large();

/// The largest size of an item of a hash page; what is larger goes to overflow pages.
inline constexpr std::size_t kMaxHashItem = kPageSize / 4;
/// The same for a btree: two keys and two values must have room in a page.
inline constexpr std::size_t kMaxBtreeItem = 1007;

}  // namespace libmaps::berkeley_db
