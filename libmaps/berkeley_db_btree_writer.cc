#include "libmaps/berkeley_db_btree_writer.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libmaps/berkeley_db_writer.h"

namespace libmaps {
namespace {

using namespace berkeley_db;

/// How full pages get, so that there is room for later changes.
constexpr std::size_t kFill = PageBuilder::kCapacity * 90 / 100;

constexpr std::uint32_t kRootPage = 1;
constexpr std::uint8_t kLeafLevel = 1;
constexpr std::uint32_t kMinKeys = 2;
constexpr std::uint32_t kRecordPad = ' ';

/// What an item takes in a leaf, its offset included.
std::size_t leaf_item_size(const StoredText& text) {
  const std::size_t size =
      text.size() > kMaxBtreeItem ? btree_item::kOverflowSize : align(btree_item::kDataAt + text.size());
  return size + page::kOffsetSize;
}

/// A page and the least key that it may have; empty for the first page of a level.
struct Child {
  std::string key;
  std::uint32_t page = 0;
};

std::size_t internal_item_size(const Child& child) {
  const std::size_t size = child.key.size() > kMaxBtreeItem ? btree_item::kOverflowSize : child.key.size();
  return align(btree_item::kChildKeyAt + size) + page::kOffsetSize;
}

/// The shortest text that is greater than `left` and not greater than `right`. REQUIRES: left < right.
std::string separator(const std::string& left, const std::string& right) {
  const auto difference = std::mismatch(left.begin(), left.end(), right.begin(), right.end()).second;
  return {right.begin(), difference + 1};
}

class BtreeIndexWriter {
 public:
  BtreeIndexWriter(std::span<const Entry> entries, bool null_terminated, int fd)
      : entries_(entries), null_terminated_(null_terminated), fd_(fd), pages_(fd, kRootPage + 1) {}

  /// `total`: what all items take in leaves.
  Result<void> run(std::size_t total) {
    if (total <= PageBuilder::kCapacity) {
      write_only_leaf();
    } else {
      write_tree();
    }
    write_metadata();
    return pages_.finish();
  }

 private:
  StoredText stored(std::string_view text) const { return {text, null_terminated_}; }

  void write_only_leaf() {
    page_.begin(kRootPage, PageType::kBtreeLeaf, kLeafLevel);
    for (const Entry& entry : entries_) add_entry(stored(entry.key), stored(entry.value));
    pages_.put(kRootPage, page_.finish(0, 0));
  }

  void write_tree() {
    std::vector<Child> children = write_leaves();
    std::uint8_t level = kLeafLevel + 1;
    for (;; ++level) {
      std::size_t total = 0;
      for (const Child& child : children) total += internal_item_size(child);
      if (total <= PageBuilder::kCapacity) break;
      children = write_internal_pages(std::move(children), level);
    }
    page_.begin(kRootPage, PageType::kBtreeInternal, level);
    for (const Child& child : children) add_child(child);
    pages_.put(kRootPage, page_.finish(0, 0));
  }

  std::vector<Child> write_leaves() {
    std::vector<Child> leaves{{.page = pages_.allocate()}};
    std::uint32_t previous = 0;
    page_.begin(leaves.back().page, PageType::kBtreeLeaf, kLeafLevel);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const StoredText key = stored(entries_[i].key);
      const StoredText value = stored(entries_[i].value);
      if (page_.used() + leaf_item_size(key) + leaf_item_size(value) > kFill) {
        const std::uint32_t next = pages_.allocate();
        pages_.put(leaves.back().page, page_.finish(previous, next));
        previous = leaves.back().page;
        leaves.push_back({separator(stored(entries_[i - 1].key).str(), key.str()), next});
        page_.begin(next, PageType::kBtreeLeaf, kLeafLevel);
      }
      add_entry(key, value);
    }
    pages_.put(leaves.back().page, page_.finish(previous, 0));
    return leaves;
  }

  std::vector<Child> write_internal_pages(std::vector<Child> children, std::uint8_t level) {
    std::vector<Child> parents{{.page = pages_.allocate()}};
    page_.begin(parents.back().page, PageType::kBtreeInternal, level);
    for (Child& child : children) {
      if (page_.used() + internal_item_size(child) > kFill) {
        pages_.put(parents.back().page, page_.finish(0, 0));
        // The first key of a page is its parent's matter.
        parents.push_back({std::exchange(child.key, {}), pages_.allocate()});
        page_.begin(parents.back().page, PageType::kBtreeInternal, level);
      }
      add_child(child);
    }
    pages_.put(parents.back().page, page_.finish(0, 0));
    return parents;
  }

  void add_entry(const StoredText& key, const StoredText& value) {
    add_leaf_item(key);
    add_leaf_item(value);
  }

  void add_leaf_item(const StoredText& text) {
    const std::size_t size = leaf_item_size(text) - page::kOffsetSize;
    char* item = page_.add(size);
    if (text.size() > kMaxBtreeItem) {
      store_overflow(item, text);
      return;
    }
    store(item + btree_item::kLength, static_cast<std::uint16_t>(text.size()));
    item[btree_item::kType] = btree_item::kKeyData;
    char* end = text.copy_to(item + btree_item::kDataAt);
    std::fill(end, item + size, '\0');
  }

  void add_child(const Child& child) {
    const std::size_t size = internal_item_size(child) - page::kOffsetSize;
    char* item = page_.add(size);
    std::memset(item, 0, size);
    store(item + btree_item::kChild, child.page);
    char* key = item + btree_item::kChildKeyAt;
    if (child.key.size() > kMaxBtreeItem) {
      store(item + btree_item::kLength, static_cast<std::uint16_t>(btree_item::kOverflowSize));
      item[btree_item::kType] = btree_item::kOverflow;
      store_overflow(key, {child.key});
    } else {
      store(item + btree_item::kLength, static_cast<std::uint16_t>(child.key.size()));
      item[btree_item::kType] = btree_item::kKeyData;
      std::copy(child.key.begin(), child.key.end(), key);
    }
  }

  void store_overflow(char* item, const StoredText& text) {
    std::memset(item, 0, btree_item::kOverflowSize);
    item[btree_item::kType] = btree_item::kOverflow;
    store(item + btree_item::kOverflowNumber, pages_.put_overflow(text));
    store(item + btree_item::kOverflowLength, static_cast<std::uint32_t>(text.size()));
  }

  void write_metadata() {
    char head[kPageSize];
    begin_metadata(head, fd_, kBtreeMagic, PageType::kBtreeMetadata, pages_.next() - 1);
    store(head + metadata::kMinKeys, kMinKeys);
    store(head + metadata::kRecordPad, kRecordPad);
    store(head + metadata::kRoot, kRootPage);
    pages_.put(0, {head, sizeof head});
  }

  std::span<const Entry> entries_;
  bool null_terminated_;
  int fd_;
  PageBuilder page_;
  PageWriter pages_;
};

}  // namespace

Result<void> write_btree_index(std::span<const Entry> entries, const IndexOptions& options, int fd) {
  std::size_t total = 0;
  for (const Entry& entry : entries) {
    const StoredText key{entry.key, options.null_terminated};
    const StoredText value{entry.value, options.null_terminated};
    if (std::max(key.size(), value.size()) > kMaxItemSize) return too_large();
    total += leaf_item_size(key) + leaf_item_size(value);
  }
  return BtreeIndexWriter(entries, options.null_terminated, fd).run(total);
}

}  // namespace libmaps
