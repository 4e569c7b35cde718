#include "libmaps/key_sort.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace libmaps {
namespace {

/// Keys are compared eight bytes at a time: a step loads the next eight bytes of each key once, and sorts by
/// them without touching the keys, which lie anywhere in memory.
struct Item {
  std::uint64_t bytes;
  std::uint32_t index;
};

constexpr std::size_t kStep = sizeof(std::uint64_t);

/// Bytes [depth, depth + 8) of a key as a number that compares as they do; a key that ends is filled up with
/// zeros.
std::uint64_t load(std::string_view key, std::size_t depth) {
  std::uint64_t bytes = 0;
  if (key.size() > depth) std::memcpy(&bytes, key.data() + depth, std::min(kStep, key.size() - depth));
  if constexpr (std::endian::native == std::endian::little) bytes = __builtin_bswap64(bytes);
  return bytes;
}

class Sorter {
 public:
  Sorter(std::span<const Entry> entries, std::span<Item> items) : entries_(entries), items_(items) {}

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
    for (Item& item : items) item.bytes = load(entries_[item.index].key, run.depth);
    std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
      return a.bytes != b.bytes ? a.bytes < b.bytes : a.index < b.index;
    });
    for (std::size_t begin = 0; begin < items.size();) {
      std::size_t end = begin + 1;
      while (end < items.size() && items[end].bytes == items[begin].bytes) ++end;
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
    if (last - longer > 1) todo_.push_back({static_cast<std::size_t>(longer - items_.begin()), end, depth});
  }

  std::span<const Entry> entries_;
  std::span<Item> items_;
  std::vector<Run> todo_;
};

}  // namespace

std::vector<std::uint32_t> sort_by_key(std::span<const Entry> entries) {
  std::vector<Item> items(entries.size());
  for (std::size_t i = 0; i < items.size(); ++i)
    items[i] = {.bytes = 0, .index = static_cast<std::uint32_t>(i)};
  Sorter(entries, items).sort();
  std::vector<std::uint32_t> order(items.size());
  std::transform(items.begin(), items.end(), order.begin(), [](const Item& item) { return item.index; });
  return order;
}

}  // namespace libmaps
