#include "libmaps/berkeley_db_btree.h"

namespace libmaps::berkeley_db {
namespace {

constexpr std::uint8_t kLeafLevel = 1;

/// Where item `index` starts, if `head` bytes of it are within the page.
std::optional<std::size_t> item_offset(const Page& page, std::uint32_t index, std::size_t head) {
  const std::size_t offset = page.offset(index);
  if (offset < page.offsets_end() || offset + head > page.size()) return std::nullopt;
  return offset;
}

/// The item whose length and type are at `offset`, and whose bytes are at `data_at`.
Result<Item> item_at(const Page& page, std::size_t offset, std::size_t data_at) {
  const std::uint16_t length = page.u16(offset + btree_item::kLength);
  const int type = page.u8(offset + btree_item::kType) & ~btree_item::kDeleted;
  if (type != btree_item::kKeyData) return damaged(page.number(), "an item of unknown type");
  if (length > page.size() - data_at) return damaged(page.number(), "an item that is out of place");
  return Item{.bytes = page.bytes().substr(data_at, length)};
}

/// The key of item `index`, whose bytes are `data_at` behind its start, where it lies in the page: nearly all
/// do. Nothing: it is on overflow pages, or damaged, and the slower functions below tell which.
std::optional<std::string_view> key_in_page(const Page& page, std::uint32_t index, std::size_t data_at) {
  const std::optional<std::size_t> offset = item_offset(page, index, data_at);
  if (!offset || (page.u8(*offset + btree_item::kType) & ~btree_item::kDeleted) != btree_item::kKeyData)
    return std::nullopt;
  const std::uint16_t length = page.u16(*offset + btree_item::kLength);
  if (length > page.size() - *offset - data_at) return std::nullopt;
  return page.bytes().substr(*offset + data_at, length);
}

/// The reference to overflow pages at `offset`.
Result<Item> overflow_at(const Page& page, std::size_t offset) {
  if (offset + btree_item::kOverflowSize > page.size()) {
    return damaged(page.number(), "an item that is out of place");
  }
  return Item{.is_overflow = true,
              .overflow = {.first_page = page.u32(offset + btree_item::kOverflowNumber),
                           .length = page.u32(offset + btree_item::kOverflowLength)}};
}

}  // namespace

Result<BtreeFile> BtreeFile::open(std::string_view file) {
  const Result<Pages> pages = open_pages(file, "btree", kBtreeMagic);
  if (!pages) return pages.error();
  BtreeFile btree;
  btree.pages_ = *pages;
  btree.root_ = pages->metadata().u32(metadata::kRoot);
  return btree;
}

/// The page below `inner` where `key` belongs: the last item whose key is not greater; the first one's key
/// counts as less than all. Null: the first page.
Result<std::uint32_t> BtreeFile::child_of(const Page& inner, const std::string_view* key,
                                          PageBudget& budget) const {
  if (inner.entries() == 0) return damaged(inner.number(), "an inner page without items");
  std::uint32_t low = 0;
  std::uint32_t high = key == nullptr ? 1 : inner.entries();
  while (high - low > 1) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (const auto in_page = key_in_page(inner, middle, btree_item::kChildKeyAt)) {
      (*key < *in_page ? high : low) = middle;
      continue;
    }
    const Result<InternalItem> item = internal_item(inner, middle);
    if (!item) return item.error();
    const Result<int> order = pages_.compare(*key, item->key, budget);
    if (!order) return order.error();
    (*order < 0 ? high : low) = middle;
  }
  const Result<InternalItem> item = internal_item(inner, low);
  if (!item) return item.error();
  return item->child;
}

Result<Page> BtreeFile::leaf_of(const std::string_view* key, PageBudget& budget) const {
  Result<Page> page = pages_.page(root_);
  if (!page) return page.error();
  for (;;) {
    if (Result<void> checked = check_btree_page(*page); !checked) return checked.error();
    if (page->type() == PageType::kBtreeLeaf) return page;
    const Result<std::uint32_t> child = child_of(*page, key, budget);
    if (!child) return child.error();
    const std::uint8_t level = page->level();
    page = pages_.page(*child);
    if (!page) return page.error();
    if (page->level() + 1 != level) return damaged(*child, "a page of another level of the tree");
  }
}

Result<std::optional<std::string_view>> BtreeFile::find(std::string_view key, std::string& scratch) const {
  PageBudget budget(pages_.count());
  const Result<Page> leaf = leaf_of(&key, budget);
  if (!leaf) return leaf.error();
  std::uint32_t low = 0;
  std::uint32_t high = leaf->entries() / 2;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (const auto in_page = key_in_page(*leaf, 2 * middle, btree_item::kDataAt)) {
      const int order = key.compare(*in_page);
      if (order < 0) high = middle;
      if (order > 0) low = middle + 1;
      if (order != 0) continue;
    }
    const Result<LeafItem> candidate = leaf_item(*leaf, 2 * middle);
    if (!candidate) return candidate.error();
    const Result<int> order = pages_.compare(key, candidate->item, budget);
    if (!order) return order.error();
    if (*order == 0) {
      const Result<LeafItem> value = leaf_item(*leaf, 2 * middle + 1);
      if (!value) return value.error();
      if (candidate->is_deleted || value->is_deleted) break;
      const Result<std::string_view> text = pages_.read(value->item, scratch, budget);
      if (!text) return text.error();
      return std::optional<std::string_view>(*text);
    }
    if (*order < 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return std::optional<std::string_view>();
}

Result<void> BtreeFile::for_each(const EntryVisitor& visit) const {
  PageBudget budget(pages_.count());
  std::string key_scratch;
  std::string value_scratch;
  Result<Page> leaf = leaf_of(nullptr, budget);
  for (;;) {
    if (!leaf) return leaf.error();
    if (leaf->type() != PageType::kBtreeLeaf) return damaged(leaf->number(), "not a leaf of the tree");
    if (Result<void> checked = check_btree_page(*leaf); !checked) return checked;
    if (!budget.take()) return damaged(leaf->number(), "pages form a circle");
    for (std::uint32_t index = 0; index < leaf->entries(); index += 2) {
      const Result<LeafItem> key = leaf_item(*leaf, index);
      if (!key) return key.error();
      const Result<LeafItem> value = leaf_item(*leaf, index + 1);
      if (!value) return value.error();
      if (key->is_deleted || value->is_deleted) continue;
      const Result<std::string_view> key_text = pages_.read(key->item, key_scratch, budget);
      if (!key_text) return key_text.error();
      const Result<std::string_view> value_text = pages_.read(value->item, value_scratch, budget);
      if (!value_text) return value_text.error();
      if (Result<void> visited = visit(*key_text, *value_text); !visited) return visited;
    }
    if (leaf->next() == 0) return {};
    leaf = pages_.page(leaf->next());
  }
}

Result<void> check_btree_page(const Page& page) {
  const bool is_leaf = page.type() == PageType::kBtreeLeaf && page.level() == kLeafLevel;
  const bool is_internal = page.type() == PageType::kBtreeInternal && page.level() > kLeafLevel;
  if (!is_leaf && !is_internal) return damaged(page.number(), "not a page of the tree");
  if (!page.has_offsets() || (is_leaf && page.entries() % 2 != 0)) {
    return damaged(page.number(), "a wrong number of items");
  }
  return {};
}

Result<LeafItem> leaf_item(const Page& page, std::uint32_t index) {
  const auto offset = item_offset(page, index, btree_item::kDataAt);
  if (!offset) return damaged(page.number(), "an item that is out of place");
  const std::uint8_t type = page.u8(*offset + btree_item::kType);
  const bool is_deleted = (type & btree_item::kDeleted) != 0;
  if ((type & ~btree_item::kDeleted) == btree_item::kOverflow) {
    const Result<Item> item = overflow_at(page, *offset);
    if (!item) return item.error();
    return LeafItem{*item, is_deleted, btree_item::kOverflowSize};
  }
  const Result<Item> item = item_at(page, *offset, *offset + btree_item::kDataAt);
  if (!item) return item.error();
  return LeafItem{*item, is_deleted, align(btree_item::kDataAt + item->bytes.size())};
}

Result<InternalItem> internal_item(const Page& page, std::uint32_t index) {
  const auto offset = item_offset(page, index, btree_item::kChildKeyAt);
  if (!offset) return damaged(page.number(), "an item that is out of place");
  const std::uint32_t child = page.u32(*offset + btree_item::kChild);
  const std::size_t key_at = *offset + btree_item::kChildKeyAt;
  if (page.u8(*offset + btree_item::kType) == btree_item::kOverflow) {
    const Result<Item> key = overflow_at(page, key_at);
    if (!key) return key.error();
    return InternalItem{*key, child, btree_item::kChildKeyAt + btree_item::kOverflowSize};
  }
  const Result<Item> key = item_at(page, *offset, key_at);
  if (!key) return key.error();
  return InternalItem{*key, child, align(btree_item::kChildKeyAt + key->bytes.size())};
}

}  // namespace libmaps::berkeley_db
