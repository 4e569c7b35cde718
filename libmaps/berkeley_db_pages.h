/// The pages of a Berkeley DB file in memory, read with every number checked.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "libconf/result.h"
#include "libmaps/berkeley_db_format.h"

namespace libmaps::berkeley_db {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

/// Some bytes of a file, with the numbers in them. REQUIRES, for every function: offset + size of the number
/// is within the bytes.
class FileBytes {
 public:
  FileBytes() = default;
  FileBytes(std::string_view bytes, bool is_swapped) : bytes_(bytes), is_swapped_(is_swapped) {}

  std::string_view bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  std::uint8_t u8(std::size_t offset) const { return static_cast<std::uint8_t>(bytes_[offset]); }
  std::uint16_t u16(std::size_t offset) const {
    const auto number = load<std::uint16_t>(bytes_.data() + offset);
    return is_swapped_ ? __builtin_bswap16(number) : number;
  }
  std::uint32_t u32(std::size_t offset) const {
    const auto number = load<std::uint32_t>(bytes_.data() + offset);
    return is_swapped_ ? __builtin_bswap32(number) : number;
  }
  FileBytes part(std::size_t offset, std::size_t length) const {
    return {bytes_.substr(offset, length), is_swapped_};
  }
  bool is_swapped() const { return is_swapped_; }

 private:
  std::string_view bytes_;
  bool is_swapped_ = false;
};

/// A page other than the metadata.
class Page : public FileBytes {
 public:
  Page() = default;
  explicit Page(FileBytes bytes) : FileBytes(bytes) {}

  std::uint32_t number() const { return u32(page::kNumber); }
  std::uint32_t previous() const { return u32(page::kPrevious); }
  std::uint32_t next() const { return u32(page::kNext); }
  std::uint32_t entries() const { return u16(page::kEntries); }
  std::uint32_t lowest() const { return u16(page::kLowest); }
  std::uint8_t level() const { return u8(page::kLevel); }
  PageType type() const { return static_cast<PageType>(u8(page::kType)); }

  /// Where item `index` starts. REQUIRES: has_offsets(), index < entries().
  std::uint32_t offset(std::uint32_t index) const { return u16(page::kHeadSize + page::kOffsetSize * index); }
  /// The offsets of the items are within the page (what they say need not be).
  bool has_offsets() const { return offsets_end() <= size(); }
  std::size_t offsets_end() const { return page::kHeadSize + page::kOffsetSize * entries(); }
};

/// How many pages a walk may still visit: a damaged file may have circles.
class PageBudget {
 public:
  explicit PageBudget(std::uint32_t pages) : left_(pages) {}
  bool take() { return left_ != 0 && left_-- != 0; }

 private:
  std::uint32_t left_;
};

/// An item that lies on overflow pages.
struct OverflowItem {
  std::uint32_t first_page = 0;
  std::uint32_t length = 0;
};

/// A key or a value: in its page, or on overflow pages.
struct Item {
  std::string_view bytes = {};
  bool is_overflow = false;
  OverflowItem overflow = {};
};

/// "damaged at page N: WHAT", kDataCorrupt.
Error damaged(std::uint32_t page_number, std::string_view what);

/// All pages of a file. Borrows the bytes.
class Pages {
 public:
  Pages() = default;
  /// REQUIRES: page_size is one that files may have.
  Pages(FileBytes bytes, std::uint32_t page_size) : bytes_(bytes), page_size_(page_size) {}

  std::uint32_t page_size() const { return page_size_; }
  std::uint32_t count() const;
  FileBytes metadata() const { return bytes_.part(0, page_size_); }

  /// Page `number`. Errors: kDataCorrupt when the file has no such page, or another number is written on it
  /// (but not for a page of zeros, which libdb leaves for what was never used).
  Result<Page> page(std::uint32_t number) const;

  /// Brings the start of a page nearer to the processor, where the file has it.
  void fetch(std::uint32_t number) const;

  /// The bytes of `item`: in the file where they lie together, otherwise copied to `scratch`.
  Result<std::string_view> read(const Item& item, std::string& scratch, PageBudget& budget) const;

  /// Less than, equal to or greater than 0 as `key` is against the bytes of `item`; a prefix comes first.
  Result<int> compare(std::string_view key, const Item& item, PageBudget& budget) const;

  /// Calls `visit(page, bytes)` for each of the item's pages; false ends it. Errors: kDataCorrupt, when what
  /// the pages have is not `item.length` bytes.
  using OverflowVisitor = std::function<bool(const Page& page, std::string_view bytes)>;
  Result<void> for_each_part(const OverflowItem& item, PageBudget& budget,
                             const OverflowVisitor& visit) const;

 private:
  FileBytes bytes_;
  std::uint32_t page_size_ = 0;
};

/// Checks what all kinds of files have in common: magic number, version, page size, and that the file uses
/// nothing that Postfix's tables do not. `kind` is "hash" or "btree". Errors: kDataCorrupt, kUnsupported;
/// messages as "not a Berkeley DB hash file".
Result<Pages> open_pages(std::string_view file, std::string_view kind, std::uint32_t magic);

}  // namespace libmaps::berkeley_db
