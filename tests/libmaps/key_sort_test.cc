#include "libmaps/key_sort.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace libmaps {
namespace {

/// The index of an entry, and whether it has the key of the one before it.
using Place = std::pair<std::uint32_t, bool>;

std::vector<Place> sorted_simply(const std::vector<std::string>& keys) {
  std::vector<std::uint32_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return keys[a] < keys[b]; });
  std::vector<Place> places;
  for (std::size_t i = 0; i < order.size(); ++i)
    places.emplace_back(order[i], i > 0 && keys[order[i]] == keys[order[i - 1]]);
  return places;
}

void expect_sorted(const std::vector<std::string>& keys, const char* what) {
  std::vector<Entry> entries;
  for (const std::string& key : keys) entries.push_back({key, ""});
  std::vector<Place> places;
  for (const auto& [index, is_again] : sort_by_key(entries)) places.emplace_back(index, is_again);
  EXPECT_EQ(places, sorted_simply(keys)) << what;
}

TEST(SortByKey, OrdersPrefixesFirstAndKeepsTheOrderOfEqualKeys) {
  expect_sorted({}, "nothing");
  expect_sorted({"b", "a", "", "ab", "a", "abcdefgh", "abcdefghi", "abcdefgh", "\xff", "A"}, "prefixes");
  expect_sorted({std::string("a\0", 2), "a", std::string("a\0\0", 3), "a", std::string("a\0b", 3)}, "NULs");
}

TEST(SortByKey, CopesWithLongKeysThatAreAlike) {
  const std::string common(200'000, 'x');
  expect_sorted({common + "b", common, common + "a", common + "b"}, "long");
}

// Short alphabets and lengths around the sixteen bytes of a step make all kinds of ties; there are both few
// keys and many, which are sorted in different ways.
TEST(SortByKey, SortsAsStableSortDoes) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    const std::size_t length = std::array{4, 20, 40}[random() % 3];
    std::vector<std::string> keys(random() % 400);
    for (std::string& key : keys) {
      key.resize(random() % length);
      for (char& c : key) c = "ab\0\xff"[random() % 4];
    }
    expect_sorted(keys, "random");
  }
}

}  // namespace
}  // namespace libmaps
