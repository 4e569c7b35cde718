#include "libmaps/lmdb_page.h"

#include <algorithm>
#include <vector>

namespace libmaps::lmdb {

std::size_t TreePage::node_count() const {
  return (header_.lower - sizeof(PageHeader)) / sizeof(std::uint16_t);
}

std::optional<Node> TreePage::node(std::size_t i) const {
  const std::optional<std::string_view> key = this->key(i);
  if (!key) return std::nullopt;
  Node node;
  node.key = *key;
  const auto key_begin = static_cast<std::size_t>(key->data() - bytes_);
  node.begin = key_begin - sizeof(NodeHeader);
  node.end = key_begin + key->size();
  const auto header = load<NodeHeader>(bytes_ + node.begin);

  const char* rest = bytes_ + node.end;
  const std::size_t room = kPageSize - node.end;
  const std::uint64_t low = header.low | static_cast<std::uint64_t>(header.high) << 16;
  if (header_.kind == PageKind::kBranch) {
    node.child = low | static_cast<std::uint64_t>(header.flags) << 32;
    return node;
  }
  // Other flags are those of sub-databases and of several values for a key.
  if ((header.flags & ~kValueOnOverflowPages) != 0) return std::nullopt;
  node.value_size = low;
  node.is_on_overflow_pages = header.flags != 0;
  const std::uint64_t stored_size = node.is_on_overflow_pages ? sizeof node.overflow : low;
  if (stored_size > room) return std::nullopt;
  node.end += stored_size;
  if (node.is_on_overflow_pages) {
    node.overflow = load<std::uint64_t>(rest);
  } else {
    node.value = {rest, stored_size};
  }
  return node;
}

std::optional<std::size_t> TreePage::upper_bound(std::string_view key, std::size_t first) const {
  std::size_t last = node_count();
  while (first < last) {
    const std::size_t middle = first + (last - first) / 2;
    const std::optional<std::string_view> middle_key = this->key(middle);
    if (!middle_key) return std::nullopt;
    if (*middle_key <= key) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first;
}

bool TreePage::has_disjoint_nodes() const {
  struct Extent {
    std::size_t begin;
    std::size_t end;
  };
  std::vector<Extent> extents;
  extents.reserve(node_count());
  for (std::size_t i = 0; i < node_count(); ++i) {
    const std::optional<Node> node = this->node(i);
    if (!node) return false;
    const std::size_t end = node->begin + even(node->end - node->begin);
    if (end > kPageSize) return false;
    extents.push_back({node->begin, end});
  }
  const auto is_higher = [](const Extent& a, const Extent& b) { return a.begin > b.begin; };
  if (!std::is_sorted(extents.begin(), extents.end(), is_higher))
    std::sort(extents.begin(), extents.end(), is_higher);
  const auto overlaps = [](const Extent& a, const Extent& b) { return b.end > a.begin; };
  return std::adjacent_find(extents.begin(), extents.end(), overlaps) == extents.end();
}

Pages::Pages(std::string_view file, std::uint64_t last) : file_(file), count_(file.size() / kPageSize) {
  if (last < count_) count_ = last + 1;
}

void Pages::fetch(std::uint64_t number) const {
  constexpr std::size_t kLine = 64;
  constexpr std::size_t kFetched = 3 * kLine;  // The head, and where most nodes are.
  if (!has(number)) return;
  for (std::size_t i = 0; i < kFetched; i += kLine) __builtin_prefetch(page(number) + i);
}

std::optional<TreePage> Pages::tree_page(std::uint64_t number, PageKind kind) const {
  if (!has(number)) return std::nullopt;
  const auto header = load<PageHeader>(page(number));
  if (header.number != number || header.kind != kind) return std::nullopt;
  const bool is_sound = header.lower >= sizeof(PageHeader) && header.lower % sizeof(std::uint16_t) == 0 &&
                        header.lower <= header.upper && header.upper <= kPageSize;
  if (!is_sound) return std::nullopt;
  return TreePage(page(number), header);
}

std::optional<std::uint64_t> Pages::overflow_run(std::uint64_t number, std::uint64_t value_size) const {
  if (!has(number)) return std::nullopt;
  const auto header = load<OverflowHeader>(page(number));
  if (header.number != number || header.kind != PageKind::kOverflow) return std::nullopt;
  // A run may be longer than it needs to be: liblmdb reuses it for a shorter value.
  if (header.pages < overflow_pages(value_size) || header.pages > count_ - number) return std::nullopt;
  return header.pages;
}

std::optional<std::string_view> Pages::value(const Node& node) const {
  if (!node.is_on_overflow_pages) return node.value;
  if (!overflow_run(node.overflow, node.value_size)) return std::nullopt;
  return std::string_view(page(node.overflow) + sizeof(OverflowHeader), node.value_size);
}

}  // namespace libmaps::lmdb
