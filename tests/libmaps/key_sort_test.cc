#include "libmaps/key_sort.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace libmaps {
namespace {

std::vector<std::uint32_t> sorted_simply(const std::vector<std::string>& keys) {
  std::vector<std::uint32_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return keys[a] < keys[b]; });
  return order;
}

void expect_sorted(const std::vector<std::string>& keys, const char* what) {
  std::vector<Entry> entries;
  for (const std::string& key : keys) entries.push_back({key, ""});
  EXPECT_EQ(sort_by_key(entries), sorted_simply(keys)) << what;
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

// Short alphabets and lengths around the eight bytes of a step make all kinds of ties.
TEST(SortByKey, SortsAsStableSortDoes) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> keys(random() % 200);
    for (std::string& key : keys) {
      key.resize(random() % 20);
      for (char& c : key) c = "ab\0\xff"[random() % 4];
    }
    expect_sorted(keys, "random");
  }
}

}  // namespace
}  // namespace libmaps
