#include "libmaps/berkeley_db_hash_writer.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <string_view>
#include <vector>

#include "libmaps/berkeley_db_writer.h"

namespace libmaps {
namespace {

using namespace berkeley_db;

/// Of what all buckets' first pages can hold, the most that entries may take, in percent. More, and many
/// buckets need a second page; less, and pages are half empty. libdb's own files are like that.
constexpr std::size_t kMaxFill = 95;

/// A new file has these.
constexpr std::size_t kMinBuckets = 2;

constexpr std::uint32_t kFirstBucketPage = 1;

std::size_t item_size(const StoredText& text) {
  return text.size() > kMaxHashItem ? hash_item::kOffPageSize : hash_item::kDataAt + text.size();
}

/// The hashes of keys, several at a time: one hash waits for a multiplication at each byte.
std::vector<std::uint32_t> hash_keys(std::span<const Entry> entries, bool null_terminated) {
  constexpr std::size_t kLanes = 4;
  constexpr std::size_t kAhead = 4 * kLanes;
  std::vector<std::uint32_t> hashes(entries.size());
  std::size_t first = 0;
  for (; first + kLanes <= entries.size(); first += kLanes) {
    const Entry* lanes = &entries[first];
    if (first + 2 * kAhead <= entries.size()) {
      for (std::size_t i = 0; i < kLanes; ++i) __builtin_prefetch(lanes[kAhead + i].key.data());
    }
    std::size_t common = lanes[0].key.size();
    for (std::size_t lane = 1; lane < kLanes; ++lane) common = std::min(common, lanes[lane].key.size());
    std::uint32_t hash[kLanes] = {};
    for (std::size_t i = 0; i < common; ++i) {
      for (std::size_t lane = 0; lane < kLanes; ++lane)
        hash[lane] = hash_step(hash[lane], lanes[lane].key[i]);
    }
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      hashes[first + lane] = hash_of(lanes[lane].key.substr(common), hash[lane]);
    }
  }
  for (; first < entries.size(); ++first) hashes[first] = hash_of(entries[first].key);
  if (null_terminated) {
    for (std::uint32_t& hash : hashes) hash = hash_step(hash, '\0');
  }
  return hashes;
}

class HashIndexWriter {
 public:
  HashIndexWriter(std::span<const Entry> entries, bool null_terminated, std::uint32_t buckets, int fd)
      : entries_(entries),
        null_terminated_(null_terminated),
        buckets_(buckets),
        fd_(fd),
        bucket_pages_(fd, kFirstBucketPage),
        more_pages_(fd, kFirstBucketPage + buckets) {}

  Result<void> run() {
    sort_by_bucket();
    for (std::uint32_t bucket = 0; bucket < buckets_; ++bucket) write_bucket(bucket);
    write_metadata();
    Result<void> done = bucket_pages_.finish();
    Result<void> more_done = more_pages_.finish();
    return done ? more_done : done;
  }

 private:
  StoredText stored(std::string_view text) const { return {text, null_terminated_}; }

  /// Fills order_ with the numbers of the entries, bucket by bucket, sorted by key in each.
  void sort_by_bucket() {
    const std::vector<std::uint32_t> hashes = hash_keys(entries_, null_terminated_);
    const std::uint32_t mask = buckets_ - 1;
    ends_.assign(buckets_ + 1, 0);
    for (const std::uint32_t hash : hashes) ++ends_[(hash & mask) + 1];
    for (std::uint32_t bucket = 0; bucket < buckets_; ++bucket) ends_[bucket + 1] += ends_[bucket];
    order_.resize(entries_.size());
    // Each start moves to the end of its bucket.
    for (std::uint32_t i = 0; i < hashes.size(); ++i) order_[ends_[hashes[i] & mask]++] = i;
  }

  /// Fetches what follows `position` in order_: the entries of a bucket lie far apart.
  void prefetch(std::size_t position) const {
    constexpr std::size_t kEntryAhead = 32;
    constexpr std::size_t kTextAhead = 16;
    if (position + kEntryAhead >= order_.size()) return;
    __builtin_prefetch(&entries_[order_[position + kEntryAhead]]);
    const Entry& soon = entries_[order_[position + kTextAhead]];
    __builtin_prefetch(soon.key.data());
    __builtin_prefetch(soon.value.data());
  }

  bool is_off_page(std::string_view key) const { return stored(key).size() > kMaxHashItem; }

  /// Whether the stored form of `longer` starts with that of `key`.
  bool is_prefix(std::string_view key, std::string_view longer) const {
    return longer.size() > key.size() && longer.starts_with(key) &&
           (!null_terminated_ || longer[key.size()] == '\0');
  }

  /// libdb's order in a page: a key comes after those that start with it, unless both are on overflow pages.
  /// A key on overflow pages that starts with one that is not has no place where libdb finds both, so they
  /// get different pages: those in the page first.
  void sort_as_libdb(std::span<std::uint32_t> bucket) const {
    const auto start = static_cast<std::size_t>(bucket.data() - order_.data());
    const auto key = [&](std::uint32_t number) { return entries_[number].key; };
    bool is_sorted = true;
    for (std::size_t i = 0; i < bucket.size() && is_sorted; ++i) {
      prefetch(start + i);
      is_sorted = !is_off_page(key(bucket[i])) && (i == 0 || !is_prefix(key(bucket[i - 1]), key(bucket[i])));
    }
    if (is_sorted) return;
    std::sort(bucket.begin(), bucket.end(), [&](std::uint32_t a, std::uint32_t b) {
      const bool is_off = is_off_page(key(a));
      if (is_off != is_off_page(key(b))) return !is_off;
      if (!is_off && is_prefix(key(a), key(b))) return false;
      if (!is_off && is_prefix(key(b), key(a))) return true;
      return key(a) < key(b);
    });
  }

  void write_bucket(std::uint32_t bucket) {
    const std::uint32_t start = bucket == 0 ? 0 : ends_[bucket - 1];
    const std::span<std::uint32_t> members(order_.data() + start, ends_[bucket] - start);
    sort_as_libdb(members);
    std::uint32_t number = kFirstBucketPage + bucket;
    std::uint32_t previous = 0;
    PageWriter* writer = &bucket_pages_;
    bool has_off_page_keys = false;
    page_.begin(number, PageType::kHash, 0);
    for (std::size_t i = 0; i < members.size(); ++i) {
      const StoredText key = stored(entries_[members[i]].key);
      const StoredText value = stored(entries_[members[i]].value);
      const std::size_t size = item_size(key) + item_size(value) + 2 * page::kOffsetSize;
      const bool is_off_page = key.size() > kMaxHashItem;
      const bool is_full = page_.used() + size > PageBuilder::kCapacity;
      if (is_full || (is_off_page != has_off_page_keys && !page_.is_empty())) {
        const std::uint32_t next = more_pages_.allocate();
        writer->put(number, page_.finish(previous, next));
        writer = &more_pages_;
        previous = number;
        number = next;
        page_.begin(number, PageType::kHash, 0);
      }
      has_off_page_keys = is_off_page;
      add(key);
      add(value);
    }
    writer->put(number, page_.finish(previous, 0));
  }

  void add(const StoredText& text) {
    char* item = page_.add(item_size(text));
    if (text.size() <= kMaxHashItem) {
      *item = hash_item::kKeyData;
      text.copy_to(item + hash_item::kDataAt);
      return;
    }
    std::memset(item, 0, hash_item::kOffPageSize);
    *item = hash_item::kOffPage;
    store(item + hash_item::kOffPageNumber, more_pages_.put_overflow(text));
    store(item + hash_item::kOffPageLength, static_cast<std::uint32_t>(text.size()));
  }

  void write_metadata() {
    char head[kPageSize];
    begin_metadata(head, fd_, kHashMagic, PageType::kHashMetadata, more_pages_.next() - 1);
    store(head + metadata::kMaxBucket, buckets_ - 1);
    store(head + metadata::kHighMask, buckets_ - 1);
    store(head + metadata::kLowMask, (buckets_ - 1) >> 1);
    store(head + metadata::kElements, static_cast<std::uint32_t>(entries_.size()));
    store(head + metadata::kHashOfCharkey, hash_of(kCharkey));
    // All buckets' pages lie together.
    const auto doublings = static_cast<std::size_t>(std::bit_width(buckets_));
    for (std::size_t i = 0; i < doublings; ++i) {
      store(head + metadata::kSpares + i * sizeof(std::uint32_t), kFirstBucketPage);
    }
    bucket_pages_.put(0, {head, sizeof head});
  }

  std::span<const Entry> entries_;
  bool null_terminated_;
  std::uint32_t buckets_;
  int fd_;
  std::vector<std::uint32_t> ends_;   ///< Of each bucket, in order_.
  std::vector<std::uint32_t> order_;  ///< Numbers of entries.
  PageBuilder page_;
  PageWriter bucket_pages_;
  PageWriter more_pages_;  ///< The further pages of buckets, and overflow pages.
};

}  // namespace

Result<void> write_hash_index(std::span<const Entry> entries, const IndexOptions& options, int fd) {
  if (entries.size() > std::numeric_limits<std::uint32_t>::max()) return too_large();
  std::size_t total = 0;
  for (const Entry& entry : entries) {
    const StoredText key{entry.key, options.null_terminated};
    const StoredText value{entry.value, options.null_terminated};
    if (std::max(key.size(), value.size()) > kMaxItemSize) return too_large();
    total += item_size(key) + item_size(value) + 2 * page::kOffsetSize;
  }
  const std::size_t needed = total * 100 / (kMaxFill * PageBuilder::kCapacity) + 1;
  const std::size_t buckets = std::bit_ceil(std::max(needed, kMinBuckets));
  return HashIndexWriter(entries, options.null_terminated, static_cast<std::uint32_t>(buckets), fd).run();
}

}  // namespace libmaps
