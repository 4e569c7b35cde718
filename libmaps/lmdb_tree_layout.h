/// Trees as LMDB files have them, made from sorted entries: first it is known how many pages they need, then
/// they are written. For the writers of whole files.
///
///     auto layout = lmdb::TreeLayout::of(entries, /*null_terminated=*/true);
///     if (!layout) return layout.error();
///     meta.entries = layout->write(out);
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "libmaps/index_output.h"
#include "libmaps/lmdb_format.h"
#include "libmaps/table.h"

namespace libmaps::lmdb {

/// Pages are full. Movable and copyable, as long as the entries live.
class TreeLayout {
 public:
  /// REQUIRES of `entries`: see libmaps/index_format.h; or a single one, whose key may be anything. Errors:
  /// kConfiguration for a key that is empty or longer than 511 bytes, its NUL included, and for a value of 4
  /// GiB or more: liblmdb's own words, "MDB_BAD_VALSIZE: ...".
  static Result<TreeLayout> of(std::span<const Entry> entries, bool null_terminated);

  std::uint64_t page_count() const { return page_count_; }

  /// Writes page_count() pages, and returns what a meta page says of them. REQUIRES: the output is at the
  /// beginning of a page.
  Tree write(IndexOutput& out) const;

 private:
  struct Page {
    std::string_view first_key;  ///< As the entry has it, without its NUL.
    std::uint64_t number;        ///< Among the tree's pages.
    std::size_t node_count;
  };
  using Level = std::vector<Page>;

  TreeLayout(std::span<const Entry> entries, bool null_terminated)
      : entries_(entries), end_(null_terminated ? 1 : 0) {}

  Result<void> lay_out_leaves();
  Level level_above(std::span<const Page> children);
  std::size_t leaf_payload(const Entry& entry) const;
  std::size_t branch_payload(const Page& child, bool is_first) const;
  std::size_t branch_size(std::span<const Page> children) const;
  bool needs_overflow(const Entry& entry) const;

  void write_leaves(std::uint64_t first_page, IndexOutput& out) const;
  void write_branches(const Level& level, std::span<const Page> children, std::uint64_t first_page,
                      IndexOutput& out) const;
  void write_overflow(std::string_view value, IndexOutput& out) const;
  char* put(char* bytes, std::string_view text) const;

  std::span<const Entry> entries_;
  std::size_t end_;            ///< The number of NULs after each key and value.
  std::vector<Level> levels_;  ///< The leaves first.
  std::uint64_t overflow_pages_ = 0;
  std::uint64_t page_count_ = 0;
};

}  // namespace libmaps::lmdb
