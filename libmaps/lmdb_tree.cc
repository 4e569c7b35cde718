#include "libmaps/lmdb_tree.h"

#include <limits>
#include <string>
#include <vector>

#include "libconf/text.h"

namespace libmaps {
namespace {

using lmdb::Node;
using lmdb::PageKind;
using lmdb::TreePage;
using OptionalKey = std::optional<std::string_view>;

Error corrupt(std::string message) {
  return {.kind = ErrorKind::kDataCorrupt, .message = std::move(message)};
}

Error damaged_page(std::uint64_t number) {
  return corrupt(libconf::concat("LMDB file is damaged at page ", std::to_string(number)));
}

Error unsupported(std::string_view message) {
  return {.kind = ErrorKind::kUnsupported, .message = std::string(message)};
}

/// What the keys of a tree are, and how many children a branch has at least. liblmdb aborts at a branch of
/// the entries with one.
struct KeyRules {
  int (*compare)(std::string_view, std::string_view);
  std::size_t min_size;
  std::size_t max_size;
  std::size_t min_children;
};

int compare_bytes(std::string_view a, std::string_view b) { return a.compare(b); }

int compare_numbers(std::string_view a, std::string_view b) {
  const auto x = lmdb::load<std::uint64_t>(a.data());
  const auto y = lmdb::load<std::uint64_t>(b.data());
  return x < y ? -1 : x > y;
}

constexpr KeyRules kEntryKeys = {
    .compare = compare_bytes, .min_size = 1, .max_size = lmdb::kMaxKeySize, .min_children = 2};
constexpr KeyRules kTransactionKeys = {.compare = compare_numbers,
                                       .min_size = sizeof(std::uint64_t),
                                       .max_size = sizeof(std::uint64_t),
                                       .min_children = 1};

/// Walks through a whole tree and checks it on the way. A page that was met before is damage, so that the
/// walk ends; `met` may go on from one tree to the next.
class Walk {
 public:
  Walk(const lmdb::Pages& pages, const KeyRules& keys, std::vector<bool>& met, const EntryVisitor& visit)
      : pages_(pages), keys_(keys), met_(met), visit_(visit) {}

  Result<void> through(const lmdb::Tree& tree) {
    if (tree.depth == 0) return {};
    if (Result<void> walked = page(tree.root, tree.depth, std::nullopt, std::nullopt); !walked) return walked;
    if (entries_ != tree.entries) return corrupt("LMDB file does not have as many entries as it should");
    return {};
  }

 private:
  /// `height` counts from the leaves, which are 1. Keys are at or above `lower`, and below `upper`.
  Result<void> page(std::uint64_t number, std::size_t height, OptionalKey lower, OptionalKey upper) {
    const PageKind kind = height == 1 ? PageKind::kLeaf : PageKind::kBranch;
    const std::optional<TreePage> page = pages_.tree_page(number, kind);
    if (!page || !meet(number, 1) || !page->has_disjoint_nodes()) return damaged_page(number);
    // The first key of a branch means nothing.
    const std::size_t first_key = kind == PageKind::kLeaf ? 0 : 1;
    if (page->node_count() < (kind == PageKind::kLeaf ? 1 : keys_.min_children)) return damaged_page(number);
    if (!keys_are_sorted(*page, first_key, lower, upper)) return damaged_page(number);
    return kind == PageKind::kLeaf ? leaf(number, *page) : branch(*page, height, lower, upper);
  }

  Result<void> branch(const TreePage& page, std::size_t height, OptionalKey lower, OptionalKey upper) {
    for (std::size_t i = 0; i < page.node_count(); ++i) {
      const OptionalKey end = i + 1 < page.node_count() ? OptionalKey(page.node(i + 1)->key) : upper;
      const Node node = *page.node(i);
      const OptionalKey begin = i == 0 ? lower : OptionalKey(node.key);
      if (Result<void> walked = this->page(node.child, height - 1, begin, end); !walked) return walked;
    }
    return {};
  }

  Result<void> leaf(std::uint64_t number, const TreePage& page) {
    for (std::size_t i = 0; i < page.node_count(); ++i) {
      const Node node = *page.node(i);
      if (node.is_on_overflow_pages) {
        const auto run = pages_.overflow_run(node.overflow, node.value_size);
        if (!run || !meet(node.overflow, *run)) return damaged_page(number);
      }
      ++entries_;
      if (Result<void> visited = visit_(node.key, *pages_.value(node)); !visited) return visited;
    }
    return {};
  }

  bool keys_are_sorted(const TreePage& page, std::size_t first, OptionalKey lower, OptionalKey upper) const {
    OptionalKey before;
    for (std::size_t i = first; i < page.node_count(); ++i) {
      const std::string_view key = page.node(i)->key;
      if (key.size() < keys_.min_size || key.size() > keys_.max_size) return false;
      if (before ? keys_.compare(*before, key) >= 0 : lower && keys_.compare(*lower, key) > 0) return false;
      before = key;
    }
    return !before || !upper || keys_.compare(*before, *upper) < 0;
  }

  /// Notes pages that the tree uses. REQUIRES: the file has them.
  bool meet(std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t number = first; number < first + count; ++number) {
      if (met_[number]) return false;
      met_[number] = true;
    }
    return true;
  }

  const lmdb::Pages& pages_;
  const KeyRules& keys_;
  std::vector<bool>& met_;
  const EntryVisitor& visit_;
  std::uint64_t entries_ = 0;
};

/// Adds what a value of the tree of free pages lists to `pages`: a count, then the numbers, falling.
Result<void> read_free_pages(std::string_view value, std::vector<std::uint64_t>& pages) {
  constexpr std::size_t kSize = sizeof(std::uint64_t);
  const auto number = [&](std::size_t i) { return lmdb::load<std::uint64_t>(value.data() + i * kSize); };
  const bool has_list = value.size() >= kSize && number(0) < value.size() / kSize;
  if (!has_list) return corrupt("LMDB file has a damaged list of free pages");
  for (std::size_t i = 1; i <= number(0); ++i) {
    if (i > 1 && number(i) >= number(i - 1)) return corrupt("LMDB file has an unsorted list of free pages");
    pages.push_back(number(i));
  }
  return {};
}

bool has_sound_depth(const lmdb::Tree& tree) {
  return tree.root == lmdb::kNoPage ? tree.depth == 0 : tree.depth >= 1 && tree.depth <= lmdb::kMaxDepth;
}

Result<lmdb::Meta> read_meta(std::string_view bytes, std::uint64_t number) {
  const Error foreign = corrupt("MDB_INVALID: File is not an LMDB file");
  const std::uint64_t position = number * lmdb::kPageSize;
  if (bytes.size() < position + sizeof(lmdb::PageHeader) + sizeof(lmdb::Meta)) return foreign;
  const auto header = lmdb::load<lmdb::PageHeader>(bytes.data() + position);
  const auto meta = lmdb::load<lmdb::Meta>(bytes.data() + position + sizeof header);
  if (meta.magic != lmdb::kMagic || header.kind != PageKind::kMeta) return foreign;
  if (meta.version != lmdb::kVersion)
    return unsupported("MDB_VERSION_MISMATCH: Database environment version mismatch");
  if (meta.free_pages.page_size != lmdb::kPageSize) return unsupported("LMDB file has pages of another size");
  return meta;
}

}  // namespace

Result<LmdbTree> LmdbTree::over(std::string_view bytes) {
  // liblmdb wants both to be sound, too: an older state could lack what a newer one has.
  const Result<lmdb::Meta> first = read_meta(bytes, 0);
  if (!first) return first.error();
  const Result<lmdb::Meta> second = read_meta(bytes, 1);
  if (!second) return second.error();
  const std::uint64_t page = second->transaction > first->transaction ? 1 : 0;
  const lmdb::Meta& meta = page == 1 ? *second : *first;
  if (meta.entries.flags != 0) return unsupported("LMDB file has entries of another kind");
  if (!has_sound_depth(meta.entries) || !has_sound_depth(meta.free_pages))
    return corrupt("LMDB file has a damaged header");
  return LmdbTree(bytes, meta, page);
}

Result<std::optional<std::string_view>> LmdbTree::find(std::string_view key) const {
  const Result<std::optional<std::uint64_t>> leaf = leaf_of(key);
  if (!leaf) return leaf.error();
  return find_in(*leaf, key);
}

Result<std::optional<std::uint64_t>> LmdbTree::leaf_of(std::string_view key) const {
  if (meta_.entries.depth == 0) return std::nullopt;
  std::uint64_t number = meta_.entries.root;
  for (std::size_t height = meta_.entries.depth; height > 1; --height) {
    const std::optional<TreePage> page = pages_.tree_page(number, PageKind::kBranch);
    if (!page || page->node_count() == 0) return damaged_page(number);
    const std::optional<std::size_t> end = page->upper_bound(key, 1);
    const std::optional<Node> node = end ? page->node(*end - 1) : std::nullopt;
    if (!node) return damaged_page(number);
    number = node->child;
  }
  pages_.fetch(number);
  return number;
}

Result<std::optional<std::string_view>> LmdbTree::find_in(std::optional<std::uint64_t> leaf,
                                                          std::string_view key) const {
  if (!leaf) return std::nullopt;
  const std::optional<TreePage> page = pages_.tree_page(*leaf, PageKind::kLeaf);
  if (!page || page->node_count() == 0) return damaged_page(*leaf);
  const std::optional<std::size_t> end = page->upper_bound(key, 0);
  if (!end) return damaged_page(*leaf);
  if (*end == 0) return std::nullopt;
  const std::optional<Node> node = page->node(*end - 1);
  if (!node) return damaged_page(*leaf);
  if (node->key != key) return std::nullopt;
  const std::optional<std::string_view> value = pages_.value(*node);
  if (!value) return damaged_page(*leaf);
  return *value;
}

Result<void> LmdbTree::for_each(const EntryVisitor& visit) const {
  std::vector<bool> met(pages_.count());
  return Walk(pages_, kEntryKeys, met, visit).through(meta_.entries);
}

Result<void> LmdbTree::check() const {
  const Result<std::vector<bool>> used = used_pages();
  if (!used) return used.error();
  return {};
}

Result<std::vector<bool>> LmdbTree::used_pages() const {
  // The next transaction takes the meta page that its number tells, and must not take the one that counts.
  const bool is_sound = (meta_.free_pages.flags & ~lmdb::kNoSubdirectory) == lmdb::kIntegerKeys &&
                        meta_.transaction % lmdb::kMetaPages == meta_page_ &&
                        meta_.transaction != std::numeric_limits<std::uint64_t>::max();
  if (!is_sound) return corrupt("LMDB file has a damaged header");
  std::vector<bool> met(pages_.count());
  const EntryVisitor pass = [](std::string_view, std::string_view) -> Result<void> { return {}; };
  if (Result<void> walked = Walk(pages_, kEntryKeys, met, pass).through(meta_.entries); !walked)
    return walked.error();

  std::vector<std::uint64_t> free_pages;
  const EntryVisitor collect = [&](std::string_view, std::string_view value) {
    return read_free_pages(value, free_pages);
  };
  if (Result<void> walked = Walk(pages_, kTransactionKeys, met, collect).through(meta_.free_pages); !walked)
    return walked.error();
  std::vector<bool> used = met;

  // Pages that were allocated and freed at once are not written: the file may end before its last page.
  met.resize(met.size() + free_pages.size());
  if (meta_.last_page >= met.size()) return corrupt("LMDB file is shorter than it should be");
  for (const std::uint64_t number : free_pages) {
    const bool is_free = number >= lmdb::kMetaPages && number <= meta_.last_page && !met[number];
    if (!is_free) return corrupt(libconf::concat("LMDB file uses free page ", std::to_string(number)));
    met[number] = true;
  }
  return used;
}

}  // namespace libmaps
