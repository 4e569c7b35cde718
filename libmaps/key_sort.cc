#include "libmaps/key_sort.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>

namespace libmaps {
namespace {

/// Keys lie anywhere in memory, and a look at one costs more than many comparisons. So a step loads the next
/// sixteen bytes of each key, in the order in which they were read, and sorts by these alone.
struct Item {
  std::uint64_t high;
  std::uint64_t low;
  std::uint32_t index;
  bool is_again;

  bool has_bytes_of(const Item& other) const { return high == other.high && low == other.low; }
};

constexpr std::size_t kWord = sizeof(std::uint64_t);
constexpr std::size_t kStep = 2 * kWord;

/// Bytes [depth, depth + 8) of a key as a number that compares as they do; a key that ends is filled up with
/// zeros.
std::uint64_t load(std::string_view key, std::size_t depth) {
  std::uint64_t bytes = 0;
  if (key.size() >= depth + kWord) {
    std::memcpy(&bytes, key.data() + depth, kWord);
  } else if (key.size() > depth) {
    std::memcpy(&bytes, key.data() + depth, key.size() - depth);
  }
  if constexpr (std::endian::native == std::endian::little) bytes = __builtin_bswap64(bytes);
  return bytes;
}

/// Sorts items by their sixteen bytes; equal ones stay in the order of their indices. REQUIRES: they are in
/// that order.
class RadixSort {
 public:
  explicit RadixSort(std::size_t most) : room_(std::make_unique_for_overwrite<Item[]>(most)) {}

  void sort(std::span<Item> items, std::size_t byte = 0) {
    // Whatever all of them share is passed over.
    for (; byte < kStep; ++byte) {
      if (items.size() <= kFew) return sort_few(items);
      if (distribute(items, byte)) return;
    }
  }

 private:
  static constexpr std::size_t kFew = 64;  ///< What a comparison sort does faster.
  static constexpr std::size_t kValues = 256;

  static std::size_t value(const Item& item, std::size_t byte) {
    const std::uint64_t word = byte < kWord ? item.high : item.low;
    return word >> (8 * (kWord - 1 - byte % kWord)) & 0xff;
  }

  static void sort_few(std::span<Item> items) {
    std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
      if (a.high != b.high) return a.high < b.high;
      return a.low != b.low ? a.low < b.low : a.index < b.index;
    });
  }

  /// Sorts by `byte` and what follows it; false: all have the same there, and nothing was done.
  bool distribute(std::span<Item> items, std::size_t byte) {
    std::array<std::uint32_t, kValues> counts{};
    for (const Item& item : items) ++counts[value(item, byte)];
    if (counts[value(items[0], byte)] == items.size()) return false;
    std::array<std::uint32_t, kValues> next;
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < kValues; ++i) {
      next[i] = sum;
      sum += counts[i];
    }
    for (const Item& item : items) room_[next[value(item, byte)]++] = item;
    std::copy_n(room_.get(), items.size(), items.begin());
    for (std::size_t i = 0; i < kValues; ++i)
      if (counts[i] > 1) sort(items.subspan(next[i] - counts[i], counts[i]), byte + 1);
    return true;
  }

  std::unique_ptr<Item[]> room_;
};

class Sorter {
 public:
  Sorter(std::span<const Entry> entries, std::span<Item> items)
      : entries_(entries), items_(items), radix_sort_(items.size()) {}

  void sort() {
    // A list of what is left to do instead of recursion: keys may be long, and alike.
    todo_.push_back({0, items_.size(), 0});
    while (!todo_.empty()) {
      const Run run = todo_.back();
      todo_.pop_back();
      sort_step(run);
    }
  }

 private:
  /// Items [begin, end): their keys agree in the first `depth` bytes, and are longer.
  struct Run {
    std::size_t begin;
    std::size_t end;
    std::size_t depth;
  };

  void sort_step(const Run& run) {
    const auto items = items_.subspan(run.begin, run.end - run.begin);
    for (Item& item : items) {
      const std::string_view key = entries_[item.index].key;
      item.high = load(key, run.depth);
      item.low = load(key, run.depth + kWord);
    }
    radix_sort_.sort(items);
    for (std::size_t begin = 0; begin < items.size();) {
      std::size_t end = begin + 1;
      while (end < items.size() && items[end].has_bytes_of(items[begin])) ++end;
      if (end - begin > 1) split(run.begin + begin, run.begin + end, run.depth + kStep);
      begin = end;
    }
  }

  /// Items whose keys agree in the first `depth` bytes, or end before: those that end come first, the shorter
  /// before the longer.
  void split(std::size_t begin, std::size_t end, std::size_t depth) {
    const auto first = items_.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = items_.begin() + static_cast<std::ptrdiff_t>(end);
    const auto size = [&](const Item& item) { return entries_[item.index].key.size(); };
    const auto longer =
        std::stable_partition(first, last, [&](const Item& item) { return size(item) <= depth; });
    std::stable_sort(first, longer, [&](const Item& a, const Item& b) { return size(a) < size(b); });
    for (auto item = first; item != longer; ++item)
      item->is_again = item != first && size(*item) == size(*(item - 1));
    if (last - longer > 1) todo_.push_back({static_cast<std::size_t>(longer - items_.begin()), end, depth});
  }

  std::span<const Entry> entries_;
  std::span<Item> items_;
  RadixSort radix_sort_;
  std::vector<Run> todo_;
};

}  // namespace

std::vector<SortedEntry> sort_by_key(std::span<const Entry> entries) {
  std::vector<Item> items(entries.size());
  for (std::size_t i = 0; i < items.size(); ++i) items[i].index = static_cast<std::uint32_t>(i);
  Sorter(entries, items).sort();
  std::vector<SortedEntry> order(items.size());
  std::transform(items.begin(), items.end(), order.begin(), [](const Item& item) {
    return SortedEntry{.index = item.index, .is_again = item.is_again};
  });
  return order;
}

}  // namespace libmaps
