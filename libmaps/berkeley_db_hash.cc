#include "libmaps/berkeley_db_hash.h"

#include <bit>

namespace libmaps::berkeley_db {

Result<HashFile> HashFile::open(std::string_view file) {
  const Result<Pages> pages = open_pages(file, "hash", kHashMagic);
  if (!pages) return pages.error();
  HashFile hash;
  hash.pages_ = *pages;
  const FileBytes head = pages->metadata();
  if (head.u32(metadata::kHashOfCharkey) != hash_of(kCharkey)) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .message = "a Berkeley DB hash file with another hash function than Postfix tables have"};
  }
  hash.max_bucket_ = head.u32(metadata::kMaxBucket);
  hash.high_mask_ = head.u32(metadata::kHighMask);
  const std::uint32_t low_mask = head.u32(metadata::kLowMask);
  if (hash.max_bucket_ >= pages->count()) return damaged(0, "more buckets than pages");
  if (hash.high_mask_ != std::bit_ceil(hash.max_bucket_ + 1) - 1 || low_mask != hash.high_mask_ >> 1) {
    return damaged(0, "masks that do not fit the number of buckets");
  }
  for (std::size_t i = 0; i < hash.spares_.size(); ++i) {
    hash.spares_[i] = head.u32(metadata::kSpares + i * sizeof(std::uint32_t));
  }
  return hash;
}

std::uint32_t HashFile::bucket_of(std::uint32_t hash) const {
  const std::uint32_t bucket = hash & high_mask_;
  return bucket <= max_bucket_ ? bucket : bucket & (high_mask_ >> 1);
}

std::uint32_t HashFile::bucket_page(std::uint32_t bucket) const {
  return bucket + spares_[static_cast<std::size_t>(std::bit_width(bucket))];
}

Result<std::optional<std::string_view>> HashFile::find(std::string_view key, std::string& scratch) const {
  PageBudget budget(pages_.count());
  std::uint32_t number = bucket_page(bucket_of(hash_of(key)));
  while (number != 0) {
    if (!budget.take()) return damaged(number, "pages form a circle");
    const Result<Page> page = pages_.page(number);
    if (!page) return page.error();
    Result<HashPageEntries> entries = HashPageEntries::open(*page);
    if (!entries) return entries.error();
    // Not a binary search, although pages are sorted: libdb's order has exceptions, and older files have
    // none. A comparison of lengths, which lie together, rules most keys out.
    while (entries->next()) {
      const std::size_t size = entries->key().size();
      if (size != key.size() + hash_item::kDataAt && size != hash_item::kOffPageSize) continue;
      const Result<Item> item = read_hash_item(*page, entries->key());
      if (!item) return item.error();
      if (item->is_overflow && item->overflow.length != key.size()) continue;
      const Result<int> order = pages_.compare(key, *item, budget);
      if (!order) return order.error();
      if (*order != 0) continue;
      const Result<Item> value = read_hash_item(*page, entries->value());
      if (!value) return value.error();
      const Result<std::string_view> text = pages_.read(*value, scratch, budget);
      if (!text) return text.error();
      return std::optional<std::string_view>(*text);
    }
    if (entries->is_damaged()) return damaged(number, "an item that is out of place");
    number = page->next();
  }
  return std::optional<std::string_view>();
}

void HashFile::expect(std::string_view key) const { pages_.fetch(bucket_page(bucket_of(hash_of(key)))); }

Result<void> HashFile::for_each(const EntryVisitor& visit) const {
  PageBudget budget(pages_.count());
  std::string key_scratch;
  std::string value_scratch;
  for (std::uint32_t bucket = 0; bucket <= max_bucket_; ++bucket) {
    for (std::uint32_t number = bucket_page(bucket); number != 0;) {
      if (!budget.take()) return damaged(number, "pages form a circle");
      const Result<Page> page = pages_.page(number);
      if (!page) return page.error();
      Result<HashPageEntries> entries = HashPageEntries::open(*page);
      if (!entries) return entries.error();
      while (entries->next()) {
        const Result<Item> key = read_hash_item(*page, entries->key());
        if (!key) return key.error();
        const Result<Item> value = read_hash_item(*page, entries->value());
        if (!value) return value.error();
        const Result<std::string_view> key_text = pages_.read(*key, key_scratch, budget);
        if (!key_text) return key_text.error();
        const Result<std::string_view> value_text = pages_.read(*value, value_scratch, budget);
        if (!value_text) return value_text.error();
        if (Result<void> visited = visit(*key_text, *value_text); !visited) return visited;
      }
      if (entries->is_damaged()) return damaged(number, "an item that is out of place");
      number = page->next();
    }
  }
  return {};
}

Result<HashPageEntries> HashPageEntries::open(const Page& page) {
  const bool is_bucket = page.type() == PageType::kHash || page.type() == PageType::kHashUnsorted ||
                         (page.type() == PageType::kInvalid && page.number() == 0 && page.entries() == 0);
  if (!is_bucket) return damaged(page.number(), "not a page of a bucket");
  if (!page.has_offsets() || page.entries() % 2 != 0) {
    return damaged(page.number(), "a wrong number of items");
  }
  return HashPageEntries(page);
}

bool HashPageEntries::next() {
  if (index_ == page_.entries()) return false;
  const std::size_t key_at = page_.offset(index_);
  const std::size_t value_at = page_.offset(index_ + 1);
  // Each item ends where the one before it starts.
  if (value_at < page_.offsets_end() || key_at <= value_at || end_ <= key_at) {
    is_damaged_ = true;
    return false;
  }
  key_ = page_.bytes().substr(key_at, end_ - key_at);
  value_ = page_.bytes().substr(value_at, key_at - value_at);
  end_ = value_at;
  index_ += 2;
  return true;
}

Result<Item> read_hash_item(const Page& page, std::string_view stored) {
  const FileBytes item(stored, page.is_swapped());
  switch (item.u8(0)) {
    case hash_item::kKeyData:
      return Item{.bytes = stored.substr(hash_item::kDataAt)};
    case hash_item::kOffPage:
      if (stored.size() != hash_item::kOffPageSize) break;
      return Item{.is_overflow = true,
                  .overflow = {.first_page = item.u32(hash_item::kOffPageNumber),
                               .length = item.u32(hash_item::kOffPageLength)}};
    default:
      break;
  }
  return damaged(page.number(), "an item of unknown type");
}

}  // namespace libmaps::berkeley_db
