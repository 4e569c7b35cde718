/// Pages of LMDB files that may be damaged: every offset is checked before it is followed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "libmaps/lmdb_format.h"

namespace libmaps::lmdb {

/// One node of a page. Views point into the page.
struct Node {
  std::string_view key;
  std::uint64_t child = 0;  ///< In a branch: the page below.

  // In a leaf:
  bool is_on_overflow_pages = false;
  std::string_view value;      ///< Unless it is on overflow pages.
  std::uint64_t overflow = 0;  ///< The first page of their run.
  std::uint64_t value_size = 0;

  /// What the node takes of the page.
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// A branch or leaf page. Copying is cheap; valid as long as the file's bytes are.
class TreePage {
 public:
  std::size_t node_count() const;

  /// Node number `i`; nothing when it is damaged. REQUIRES: i < node_count().
  std::optional<Node> node(std::size_t i) const;

  /// How many nodes from number `first` on there are before those whose key is above `key`, plus `first`.
  /// Nothing when a node on the way is damaged. Assumes that keys are sorted.
  std::optional<std::size_t> upper_bound(std::string_view key, std::size_t first) const;

  /// All nodes are intact, and none lies upon another.
  bool has_disjoint_nodes() const;

 private:
  friend class Pages;
  TreePage(const char* bytes, const PageHeader& header) : bytes_(bytes), header_(header) {}

  /// The key of node number `i`; nothing when it is not within the page.
  std::optional<std::string_view> key(std::size_t i) const {
    const auto begin = load<std::uint16_t>(bytes_ + sizeof(PageHeader) + i * sizeof(std::uint16_t));
    if (begin < header_.upper || begin + sizeof(NodeHeader) > kPageSize) return std::nullopt;
    const auto size = load<std::uint16_t>(bytes_ + begin + offsetof(NodeHeader, key_size));
    if (begin + sizeof(NodeHeader) + size > kPageSize) return std::nullopt;
    return std::string_view(bytes_ + begin + sizeof(NodeHeader), size);
  }

  const char* bytes_;
  PageHeader header_;
};

/// A file's pages.
class Pages {
 public:
  /// The pages of `file` from 0 to `last`, as far as it has them.
  Pages(std::string_view file, std::uint64_t last);

  std::uint64_t count() const { return count_; }

  /// A page of the tree; nothing when it is not of that kind or damaged.
  std::optional<TreePage> tree_page(std::uint64_t number, PageKind kind) const;

  /// Brings the start of a page nearer to the processor, where the file has it.
  void fetch(std::uint64_t number) const;

  /// The number of pages in the run of overflow pages that begins at `number`; nothing when it is damaged, or
  /// too short for `value_size` bytes.
  std::optional<std::uint64_t> overflow_run(std::uint64_t number, std::uint64_t value_size) const;

  /// The value of a leaf's node; nothing when it is damaged.
  std::optional<std::string_view> value(const Node& node) const;

 private:
  const char* page(std::uint64_t number) const { return file_.data() + number * kPageSize; }
  bool has(std::uint64_t number) const { return number >= kMetaPages && number < count_; }

  std::string_view file_;
  std::uint64_t count_;
};

}  // namespace libmaps::lmdb
