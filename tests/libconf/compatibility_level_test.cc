#include "libconf/compatibility_level.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace libconf {
namespace {

TEST(CompatibilityLevel, Accepted) {
  struct Case {
    const char* text;
    CompatibilityLevel level;
  };
  for (const Case& c :
       {Case{"0", {0, 0, 0}}, Case{"2", {2, 0, 0}}, Case{"3.6", {3, 6, 0}}, Case{"3.6.0", {3, 6, 0}},
        Case{"3.10.2", {3, 10, 2}}, Case{"3.1023.1023", {3, 1023, 1023}}, Case{"003.06", {3, 6, 0}}}) {
    SCOPED_TRACE(c.text);
    const auto level = parse_compatibility_level(c.text);
    ASSERT_TRUE(level);
    EXPECT_EQ(*level, c.level);
  }
}

TEST(CompatibilityLevel, Rejected) {
  for (const char* text :
       {"", " ", "x", "3.", ".3", "3..1", "3.6.", "3.6.1.0", "3.6.x", "-1", "+1", " 3", "3 ", "3,6", "3.1024",
        "3.6.1024", "99999999999999999999", "3.99999999999999999999"})
    EXPECT_FALSE(parse_compatibility_level(text)) << text;
}

TEST(CompatibilityLevel, Order) {
  const std::vector<std::string> ascending = {"0",     "1",   "1.1023.1023", "2", "3.6",
                                              "3.6.1", "3.9", "3.10",        "10"};
  for (std::size_t i = 0; i < ascending.size(); ++i)
    for (std::size_t j = 0; j < ascending.size(); ++j)
      EXPECT_EQ(*parse_compatibility_level(ascending[i]) <=> *parse_compatibility_level(ascending[j]),
                i <=> j)
          << ascending[i] << " and " << ascending[j];
}

}  // namespace
}  // namespace libconf
