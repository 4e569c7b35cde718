#include "tools/cli/nearest_name.h"

#include <gtest/gtest.h>

#include <array>

namespace cli {
namespace {

TEST(NearestNameTest, CountsEdits) {
  struct Case {
    std::string_view a, b;
    std::size_t distance;
  };
  for (const Case& c : {Case{"", "", 0}, Case{"abc", "", 3}, Case{"abc", "abc", 0}, Case{"abc", "abd", 1},
                        Case{"abc", "acb", 1}, Case{"abcd", "bcd", 1}, Case{"kitten", "sitting", 3}}) {
    EXPECT_EQ(edit_distance(c.a, c.b), c.distance) << c.a << " " << c.b;
    EXPECT_EQ(edit_distance(c.b, c.a), c.distance) << c.b << " " << c.a;
  }
}

TEST(NearestNameTest, FindsTheNearestName) {
  constexpr std::array<std::string_view, 3> kNames = {"mydestination", "mydomain", "myorigin"};
  EXPECT_EQ(nearest_name("mydestinaton", kNames), "mydestination");
  EXPECT_EQ(nearest_name("mydomian", kNames), "mydomain");
  EXPECT_EQ(nearest_name("relayhost", kNames), "");
  EXPECT_EQ(nearest_name("my", kNames), "");
}

}  // namespace
}  // namespace cli
