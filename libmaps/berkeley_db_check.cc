#include "libmaps/berkeley_db_check.h"

#include <algorithm>
#include <bit>
#include <unordered_map>
#include <vector>

namespace libmaps::berkeley_db {
namespace {

/// What is known of a file's pages so far.
class PageCensus {
 public:
  explicit PageCensus(const Pages& pages)
      : pages_(pages),
        last_page_(pages.metadata().u32(metadata::kLastPage)),
        is_claimed_(pages.count(), false) {}

  /// Page `number`, which nothing may have claimed before.
  Result<Page> claim(std::uint32_t number) {
    Result<Page> page = pages_.page(number);
    if (!page) return page;
    if (number > last_page_) return damaged(number, "it is after the last page");
    if (is_claimed_[number]) return damaged(number, "it is used twice");
    is_claimed_[number] = true;
    return page;
  }

  /// Claims the pages of an overflow item, or notes one more reference to them: the inner pages of a tree
  /// share them with its leaves.
  Result<void> claim(const Item& item, bool may_be_shared) {
    if (!item.is_overflow) return {};
    const std::uint32_t first = item.overflow.first_page;
    const Result<Page> page = pages_.page(first);
    if (!page) return page.error();
    std::uint32_t& references = references_[first];
    if (++references > (may_be_shared ? page->entries() : 1)) {
      return damaged(first, "more references to an overflow page than it counts");
    }
    if (references > 1) return {};
    std::uint32_t previous = 0;
    std::uint32_t last = 0;
    Result<void> claimed;
    PageBudget budget(pages_.count());
    Result<void> done = pages_.for_each_part(item.overflow, budget, [&](const Page& part, auto) {
      claimed = link(part, previous);
      previous = part.number();
      last = part.next();
      return claimed.has_value();
    });
    if (!done) return done;
    if (claimed && last != 0) return damaged(first, "an overflow page after the end of the item");
    return claimed;
  }

  /// Claims `page`, and checks that it says to follow `previous`.
  Result<void> link(const Page& page, std::uint32_t previous) {
    if (const Result<Page> claimed = claim(page.number()); !claimed) return claimed.error();
    if (page.previous() != previous) return damaged(page.number(), "a wrong link to the page before it");
    return {};
  }

  /// Claims the pages on the list of free ones, and checks the number of all pages.
  Result<void> claim_free_pages() {
    if (last_page_ >= pages_.count()) return damaged(last_page_, "the file ends before this page");
    std::uint32_t number = pages_.metadata().u32(metadata::kFreeList);
    while (number != 0) {
      const Result<Page> page = claim(number);
      if (!page) return page.error();
      if (page->type() != PageType::kInvalid) return damaged(number, "a page in use among the free ones");
      number = page->next();
    }
    return {};
  }

 private:
  const Pages& pages_;
  std::uint32_t last_page_;
  std::vector<bool> is_claimed_;
  std::unordered_map<std::uint32_t, std::uint32_t> references_;  ///< To first pages of overflow items.
};

/// `lowest` as it is stored: of an empty page of 65536 bytes it is 0.
bool is_lowest(const Page& page, std::size_t lowest) { return page.lowest() == (lowest & 0xFFFF); }

class HashCheck {
 public:
  explicit HashCheck(const HashFile& file) : file_(file), census_(file.pages()) {}

  Result<void> run() {
    for (std::uint32_t bucket = 0; bucket <= file_.max_bucket(); ++bucket) {
      if (Result<void> checked = check_bucket(bucket); !checked) return checked;
    }
    for (std::uint32_t bucket = file_.max_bucket() + 1; bucket <= file_.last_reserved_bucket(); ++bucket) {
      const Result<Page> page = census_.claim(file_.bucket_page(bucket));
      if (!page) return page.error();
      if (page->entries() != 0 || page->next() != 0) {
        return damaged(file_.bucket_page(bucket), "a page in use beyond the buckets");
      }
      if (Result<void> checked = check_page(*page, bucket); !checked) return checked;
    }
    // libdb would take the pages that these tell for those of its next buckets.
    const auto used = static_cast<std::size_t>(std::bit_width(file_.last_reserved_bucket())) + 1;
    for (std::size_t i = used; i < metadata::kSparesCount; ++i) {
      if (file_.pages().metadata().u32(metadata::kSpares + i * sizeof(std::uint32_t)) != 0) {
        return damaged(0, "pages of buckets that are not there");
      }
    }
    return census_.claim_free_pages();
  }

 private:
  Result<void> check_bucket(std::uint32_t bucket) {
    std::uint32_t previous = 0;
    for (std::uint32_t number = file_.bucket_page(bucket); number != 0;) {
      const Result<Page> page = census_.claim(number);
      if (!page) return page.error();
      if (page->previous() != previous) return damaged(number, "a wrong link to the page before it");
      if (Result<void> checked = check_page(*page, bucket); !checked) return checked;
      previous = number;
      number = page->next();
    }
    return {};
  }

  Result<void> check_page(const Page& page, std::uint32_t bucket) {
    Result<HashPageEntries> entries = HashPageEntries::open(page);
    if (!entries) return entries.error();
    std::size_t lowest = page.size();
    while (entries->next()) {
      lowest = static_cast<std::size_t>(entries->value().data() - page.bytes().data());
      const Result<Item> key = read_hash_item(page, entries->key());
      if (!key) return key.error();
      const Result<Item> value = read_hash_item(page, entries->value());
      if (!value) return value.error();
      for (const Item* item : {&*key, &*value}) {
        if (Result<void> claimed = census_.claim(*item, false); !claimed) return claimed;
      }
      PageBudget budget(file_.pages().count());
      const Result<std::string_view> text = file_.pages().read(*key, scratch_, budget);
      if (!text) return text.error();
      if (file_.bucket_of(hash_of(*text)) != bucket) {
        return damaged(page.number(), "a key of another bucket");
      }
    }
    const bool is_unused = page.number() == 0;
    if (entries->is_damaged() || (!is_unused && !is_lowest(page, lowest))) {
      return damaged(page.number(), "an item that is out of place");
    }
    return {};
  }

  const HashFile& file_;
  PageCensus census_;
  std::string scratch_;
};

/// The parts of a page that its items take.
class PageSpace {
 public:
  explicit PageSpace(const Page& page) : page_(page), is_taken_(page.size() / btree_item::kAlignment) {}

  /// Notes item `index`, of `size` bytes.
  Result<void> take(std::uint32_t index, std::size_t size) {
    const std::size_t offset = page_.offset(index);
    const auto out_of_place = [&] { return damaged(page_.number(), "an item that is out of place"); };
    if (offset % btree_item::kAlignment != 0 || offset + size > page_.size()) return out_of_place();
    const auto begin = is_taken_.begin() + static_cast<std::ptrdiff_t>(offset / btree_item::kAlignment);
    const auto end = begin + static_cast<std::ptrdiff_t>(size / btree_item::kAlignment);
    if (std::find(begin, end, true) != end) return out_of_place();
    std::fill(begin, end, true);
    lowest_ = std::min(lowest_, offset);
    total_ += size;
    return {};
  }

  /// The items are all that is above the lowest one.
  Result<void> finish() const {
    const std::size_t lowest = std::min(lowest_, page_.size());
    if (!is_lowest(page_, lowest) || total_ != page_.size() - lowest) {
      return damaged(page_.number(), "items that do not fill their part of the page");
    }
    return {};
  }

 private:
  const Page& page_;
  std::vector<bool> is_taken_;
  std::size_t lowest_ = static_cast<std::size_t>(-1);
  std::size_t total_ = 0;
};

class BtreeCheck {
 public:
  explicit BtreeCheck(const BtreeFile& file) : file_(file), census_(file.pages()) {}

  Result<void> run() {
    if (file_.pages().metadata().u32(metadata::kMinKeys) != kMinKeysPerPage) {
      return damaged(0, "a wrong number of keys that a page must have room for");
    }
    if (Result<void> checked = check_tree(); !checked) return checked;
    if (next_leaf_ != 0) return damaged(next_leaf_, "it is linked to, but not in the tree");
    return census_.claim_free_pages();
  }

 private:
  /// Visits the tree in order, depth first. Levels fall with every step down, so the stack has 255 at most.
  Result<void> check_tree() {
    struct Visit {
      Page page;
      std::uint32_t index = 0;
    };
    std::vector<Visit> stack;
    const auto enter = [&](std::uint32_t number) -> Result<void> {
      const Result<Page> page = census_.claim(number);
      if (!page) return page.error();
      if (Result<void> checked = check_btree_page(*page); !checked) return checked;
      if (!stack.empty() && page->level() + 1 != stack.back().page.level()) {
        return damaged(number, "a page of another level of the tree");
      }
      if (page->type() == PageType::kBtreeLeaf) return check_leaf(*page);
      if (page->entries() == 0) return damaged(number, "an inner page without items");
      stack.push_back({*page});
      return check_internal(*page);
    };
    if (Result<void> entered = enter(file_.root()); !entered) return entered;
    while (!stack.empty()) {
      Visit& top = stack.back();
      if (top.index == top.page.entries()) {
        stack.pop_back();
        continue;
      }
      const Result<InternalItem> item = internal_item(top.page, top.index);
      if (!item) return item.error();
      // Keys are in order from one end of the tree to the other, inner ones between those of the leaves.
      const bool is_leftmost = top.index == 0;
      ++top.index;
      if (!is_leftmost) {
        if (Result<void> checked = advance(top.page, item->key, true); !checked) return checked;
      }
      if (Result<void> entered = enter(item->child); !entered) return entered;
    }
    return {};
  }

  Result<void> check_internal(const Page& page) {
    PageSpace space(page);
    for (std::uint32_t index = 0; index < page.entries(); ++index) {
      const Result<InternalItem> item = internal_item(page, index);
      if (!item) return item.error();
      if (Result<void> claimed = census_.claim(item->key, true); !claimed) return claimed;
      if (Result<void> taken = space.take(index, item->size); !taken) return taken;
    }
    return space.finish();
  }

  Result<void> check_leaf(const Page& page) {
    if (page.previous() != last_leaf_ || (last_leaf_ != 0 && page.number() != next_leaf_)) {
      return damaged(page.number(), "leaves that are not linked in order");
    }
    last_leaf_ = page.number();
    next_leaf_ = page.next();
    PageSpace space(page);
    for (std::uint32_t index = 0; index < page.entries(); ++index) {
      const Result<LeafItem> item = leaf_item(page, index);
      if (!item) return item.error();
      if (Result<void> claimed = census_.claim(item->item, true); !claimed) return claimed;
      if (Result<void> taken = space.take(index, item->size); !taken) return taken;
      if (index % 2 != 0) continue;
      if (Result<void> checked = advance(page, item->item, false); !checked) return checked;
    }
    return space.finish();
  }

  /// Checks that `key` is greater than the one before it in the tree. What follows the key of an inner page
  /// may equal it.
  Result<void> advance(const Page& page, const Item& key, bool is_inner) {
    PageBudget budget(file_.pages().count());
    const Result<std::string_view> text = file_.pages().read(key, scratch_, budget);
    if (!text) return text.error();
    const int order = last_key_ ? last_key_->compare(*text) : -1;
    if (order > 0 || (order == 0 && !last_is_inner_)) {
      return damaged(page.number(), "keys that are not in order");
    }
    last_is_inner_ = is_inner;
    last_key_ = *text;
    if (text->data() == scratch_.data()) {
      std::swap(scratch_, last_scratch_);
      last_key_ = last_scratch_;
    }
    return {};
  }

  static constexpr std::uint32_t kMinKeysPerPage = 2;

  const BtreeFile& file_;
  PageCensus census_;
  std::uint32_t last_leaf_ = 0;
  std::uint32_t next_leaf_ = 0;
  std::string scratch_;
  std::string last_scratch_;  ///< The last key, where it is not in the file in one piece.
  std::optional<std::string_view> last_key_;
  bool last_is_inner_ = false;
};

}  // namespace

Result<void> check_structure(const HashFile& file) { return HashCheck(file).run(); }
Result<void> check_structure(const BtreeFile& file) { return BtreeCheck(file).run(); }

}  // namespace libmaps::berkeley_db
