#include "libmaps/lmdb_tree_layout.h"

#include <array>
#include <cstring>

#include "libmaps/lmdb_error.h"

namespace libmaps::lmdb {
namespace {

constexpr std::size_t node_size(std::size_t payload) { return even(sizeof(NodeHeader) + payload); }

/// What a node takes of a page's room.
constexpr std::size_t node_cost(std::size_t payload) { return sizeof(std::uint16_t) + node_size(payload); }

/// A page in the making. Nodes fill it from its end.
class PageBuilder {
 public:
  explicit PageBuilder(PageKind kind) : kind_(kind) {}

  /// Adds a node, and returns the `payload` bytes after its header for the caller to fill. REQUIRES: there is
  /// room for it.
  char* add(const NodeHeader& header, std::size_t payload) {
    const std::size_t size = node_size(payload);
    upper_ = static_cast<std::uint16_t>(upper_ - size);
    char* node = bytes_.data() + upper_;
    node[size - 1] = '\0';  // The padding, if there is any.
    store(node, header);
    store(bytes_.data() + lower_, upper_);
    lower_ = static_cast<std::uint16_t>(lower_ + sizeof upper_);
    return node + sizeof header;
  }

  /// Writes the page as page `number`, and starts the next one.
  void write(std::uint64_t number, IndexOutput& out) {
    store(bytes_.data(),
          PageHeader{.number = number, .padding = 0, .kind = kind_, .lower = lower_, .upper = upper_});
    std::memset(bytes_.data() + lower_, 0, std::size_t{upper_} - lower_);
    out.append({bytes_.data(), bytes_.size()});
    lower_ = sizeof(PageHeader);
    upper_ = kPageSize;
  }

 private:
  PageKind kind_;
  std::uint16_t lower_ = sizeof(PageHeader);
  std::uint16_t upper_ = kPageSize;
  std::array<char, kPageSize> bytes_{};
};

}  // namespace

Result<TreeLayout> TreeLayout::of(std::span<const Entry> entries, bool null_terminated) {
  TreeLayout layout(entries, null_terminated);
  if (entries.empty()) return layout;
  if (const Result<void> done = layout.lay_out_leaves(); !done) return done.error();
  while (layout.levels_.back().size() > 1) {
    Level above = layout.level_above(layout.levels_.back());
    layout.levels_.push_back(std::move(above));
  }
  return layout;
}

bool TreeLayout::needs_overflow(const Entry& entry) const {
  return lmdb::needs_overflow(entry.key.size() + end_, entry.value.size() + end_);
}

std::size_t TreeLayout::leaf_payload(const Entry& entry) const {
  return entry.key.size() + end_ +
         (needs_overflow(entry) ? sizeof(std::uint64_t) : entry.value.size() + end_);
}

/// A page comes after the overflow pages of its values.
Result<void> TreeLayout::lay_out_leaves() {
  Level leaves;
  Page leaf{.first_key = entries_.front().key, .number = 0, .node_count = 0};
  std::size_t used = 0;
  const auto finish_leaf = [&] {
    leaf.number = page_count_++;
    leaves.push_back(leaf);
  };
  for (const Entry& entry : entries_) {
    const std::size_t key_size = entry.key.size() + end_;
    const std::size_t value_size = entry.value.size() + end_;
    if (key_size == 0 || key_size > kMaxKeySize || value_size > kMaxValueSize)
      return lmdb_error(MDB_BAD_VALSIZE);
    const std::size_t cost = node_cost(leaf_payload(entry));
    if (used + cost > kPageRoom) {
      finish_leaf();
      leaf = {.first_key = entry.key, .number = 0, .node_count = 0};
      used = 0;
    }
    used += cost;
    ++leaf.node_count;
    if (needs_overflow(entry)) {
      const std::uint64_t pages = lmdb::overflow_pages(value_size);
      overflow_pages_ += pages;
      page_count_ += pages;
    }
  }
  finish_leaf();
  levels_.push_back(std::move(leaves));
  return {};
}

TreeLayout::Level TreeLayout::level_above(std::span<const Page> children) {
  Level parents;
  while (!children.empty()) {
    const std::size_t count = branch_size(children);
    parents.push_back(
        {.first_key = children.front().first_key, .number = page_count_++, .node_count = count});
    children = children.subspan(count);
  }
  return parents;
}

/// The first key of a branch is left out.
std::size_t TreeLayout::branch_payload(const Page& child, bool is_first) const {
  return is_first ? 0 : child.first_key.size() + end_;
}

/// How many of `children` the next branch page takes. It never leaves a single one for the last page: liblmdb
/// aborts at a branch with one child.
std::size_t TreeLayout::branch_size(std::span<const Page> children) const {
  std::size_t used = 0;
  std::size_t count = 0;
  for (; count < children.size(); ++count) {
    used += node_cost(branch_payload(children[count], count == 0));
    if (used > kPageRoom) break;
  }
  return children.size() - count == 1 ? count - 1 : count;
}

Tree TreeLayout::write(IndexOutput& out) const {
  Tree tree{.root = kNoPage};
  if (levels_.empty()) return tree;
  const std::uint64_t first_page = out.position() / kPageSize;
  write_leaves(first_page, out);
  for (std::size_t i = 1; i < levels_.size(); ++i) {
    write_branches(levels_[i], levels_[i - 1], first_page, out);
    tree.branch_pages += levels_[i].size();
  }
  tree.depth = static_cast<std::uint16_t>(levels_.size());
  tree.leaf_pages = levels_.front().size();
  tree.overflow_pages = overflow_pages_;
  tree.entries = entries_.size();
  tree.root = first_page + levels_.back().front().number;
  return tree;
}

void TreeLayout::write_leaves(std::uint64_t first_page, IndexOutput& out) const {
  PageBuilder page(PageKind::kLeaf);
  const Entry* entry = entries_.data();
  for (const Page& leaf : levels_.front()) {
    for (const Entry* end = entry + leaf.node_count; entry != end; ++entry) {
      const std::size_t key_size = entry->key.size() + end_;
      const std::size_t value_size = entry->value.size() + end_;
      const bool overflows = needs_overflow(*entry);
      char* bytes = page.add({.low = static_cast<std::uint16_t>(value_size),
                              .high = static_cast<std::uint16_t>(value_size >> 16),
                              .flags = overflows ? kValueOnOverflowPages : std::uint16_t{0},
                              .key_size = static_cast<std::uint16_t>(key_size)},
                             leaf_payload(*entry));
      bytes = put(bytes, entry->key);
      if (overflows) {
        store(bytes, out.position() / kPageSize);
        write_overflow(entry->value, out);
      } else {
        put(bytes, entry->value);
      }
    }
    page.write(first_page + leaf.number, out);
  }
}

void TreeLayout::write_branches(const Level& level, std::span<const Page> children, std::uint64_t first_page,
                                IndexOutput& out) const {
  PageBuilder page(PageKind::kBranch);
  for (const Page& branch : level) {
    for (std::size_t i = 0; i < branch.node_count; ++i) {
      const std::uint64_t child = first_page + children[i].number;
      const std::size_t payload = branch_payload(children[i], i == 0);
      char* bytes = page.add({.low = static_cast<std::uint16_t>(child),
                              .high = static_cast<std::uint16_t>(child >> 16),
                              .flags = static_cast<std::uint16_t>(child >> 32),
                              .key_size = static_cast<std::uint16_t>(payload)},
                             payload);
      if (i > 0) put(bytes, children[i].first_key);
    }
    page.write(first_page + branch.number, out);
    children = children.subspan(branch.node_count);
  }
}

void TreeLayout::write_overflow(std::string_view value, IndexOutput& out) const {
  const std::uint64_t pages = lmdb::overflow_pages(value.size() + end_);
  const std::uint64_t end = out.position() + pages * kPageSize;
  store(out.extend(sizeof(OverflowHeader)), OverflowHeader{.number = end / kPageSize - pages,
                                                           .padding = 0,
                                                           .kind = PageKind::kOverflow,
                                                           .pages = static_cast<std::uint32_t>(pages)});
  out.append(value);
  // What ends the value is a zero, too.
  const std::uint64_t rest = end - out.position();
  std::memset(out.extend(rest), 0, rest);
}

/// Copies `text` and what ends it. Returns the place after it.
char* TreeLayout::put(char* bytes, std::string_view text) const {
  if (!text.empty()) std::memcpy(bytes, text.data(), text.size());
  bytes += text.size();
  if (end_ > 0) *bytes++ = '\0';
  return bytes;
}

}  // namespace libmaps::lmdb
