/// Reads Berkeley DB hash files: a table of buckets, each a chain of pages.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libmaps/berkeley_db_pages.h"
#include "libmaps/table.h"

namespace libmaps::berkeley_db {

/// A hash file in memory. Borrows the bytes. See BerkeleyDbFile for what find() and for_each() do.
class HashFile {
 public:
  static Result<HashFile> open(std::string_view file);

  Result<std::optional<std::string_view>> find(std::string_view key, std::string& scratch) const;
  Result<void> for_each(const EntryVisitor& visit) const;
  /// Fetches what find(key) looks at first.
  void expect(std::string_view key) const;

  const Pages& pages() const { return pages_; }
  std::uint32_t max_bucket() const { return max_bucket_; }
  /// The last bucket that has a page already: pages come in powers of two.
  std::uint32_t last_reserved_bucket() const { return high_mask_; }
  /// The bucket of keys with this hash_of().
  std::uint32_t bucket_of(std::uint32_t hash) const;
  /// The first page of a bucket. REQUIRES: bucket <= last_reserved_bucket().
  std::uint32_t bucket_page(std::uint32_t bucket) const;

 private:
  Pages pages_;
  std::uint32_t max_bucket_ = 0;
  std::uint32_t high_mask_ = 0;
  /// Of buckets 2^(n-1) to 2^n - 1: what is to be added to have their pages.
  std::array<std::uint32_t, metadata::kSparesCount> spares_ = {};
};

/// Walks the entries of one page of a bucket.
class HashPageEntries {
 public:
  /// Errors: kDataCorrupt, for what is not a page of a bucket. A page of zeros has no entries.
  static Result<HashPageEntries> open(const Page& page);

  /// Moves to the next entry. False at the end, and when the rest of the page cannot be read: is_damaged()
  /// tells.
  bool next();
  bool is_damaged() const { return is_damaged_; }

  /// The entry's key and value as they are stored: to be read by read_hash_item().
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }

 private:
  explicit HashPageEntries(const Page& page) : page_(page), end_(page.size()) {}

  Page page_;
  std::uint32_t index_ = 0;
  std::size_t end_;  ///< Of the next item.
  bool is_damaged_ = false;
  std::string_view key_;
  std::string_view value_;
};

/// The item that `stored`, of a page of `page_number`, has. Errors: kDataCorrupt, an unknown type.
Result<Item> read_hash_item(const Page& page, std::string_view stored);

}  // namespace libmaps::berkeley_db
