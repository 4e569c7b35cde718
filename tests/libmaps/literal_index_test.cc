#include "libmaps/literal_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>

namespace libmaps {
namespace {

using Rules = std::vector<std::uint32_t>;

Rules find(LiteralIndex& index, std::string_view text) {
  Rules rules = {99};
  index.find(text, rules);
  return rules;
}

TEST(LiteralIndex, FindsRulesInTheirOrder) {
  LiteralIndex::Builder builder;
  EXPECT_TRUE(builder.add(0, {{"pills"}}));
  EXPECT_TRUE(builder.add(3, {{"cheap"}}));
  EXPECT_TRUE(builder.add(4, {{".exe", ".scr"}}));
  EXPECT_TRUE(builder.add(7, {{"exe"}}));
  LiteralIndex index = std::move(builder).build();
  EXPECT_EQ(find(index, "cheap pills"), (Rules{0, 3}));
  EXPECT_EQ(find(index, "CHEAP"), (Rules{3}));
  EXPECT_EQ(find(index, "a.exe b.scr"), (Rules{4, 7}));
  EXPECT_EQ(find(index, "pill"), Rules());
  EXPECT_EQ(find(index, ""), Rules());
  EXPECT_EQ(find(index, "ex"), Rules());
}

TEST(LiteralIndex, OfNothingFindsNothing) {
  LiteralIndex index = LiteralIndex::Builder().build();
  EXPECT_EQ(find(index, "text"), Rules());
}

// "received:" is in all mail, and in many rules: a rule is found by what is its own.
TEST(LiteralIndex, ChoosesTheRarestLiteral) {
  LiteralIndex::Builder builder;
  for (std::uint32_t rule = 0; rule < 50; ++rule)
    builder.add(rule, {{"received:"}, {"@host" + std::to_string(rule) + ".example"}});
  builder.add(50, {{"subject:"}, {"zqx"}});
  LiteralIndex index = std::move(builder).build();
  EXPECT_EQ(find(index, "Received: from x"), Rules());
  EXPECT_EQ(find(index, "Received: from u@host7.example"), (Rules{7}));
  EXPECT_EQ(find(index, "Subject: news"), Rules());
  EXPECT_EQ(find(index, "zqx"), (Rules{50}));
}

// A rule with a single choice is found exactly where one of its literals is.
TEST(LiteralIndex, AgreesWithAScan) {
  std::mt19937 random(3);
  const auto word = [&](std::size_t least, std::size_t most) {
    std::string text(least + random() % (most - least + 1), '\0');
    for (char& c : text) c = "abcd\xc3\xff"[random() % 6];
    return text;
  };
  for (int round = 0; round < 50; ++round) {
    std::map<std::uint32_t, Literals> rules;
    LiteralIndex::Builder builder;
    for (std::uint32_t rule = 0; rule < 60; rule += 1 + random() % 3) {
      Literals literals;
      for (std::size_t count = 1 + random() % 3; count > 0; --count) literals.push_back(word(3, 7));
      builder.add(rule, {literals});
      rules[rule] = std::move(literals);
    }
    LiteralIndex index = std::move(builder).build();
    for (int i = 0; i < 100; ++i) {
      const std::string text = word(0, 30);
      Rules expected;
      for (const auto& [rule, literals] : rules) {
        if (std::ranges::any_of(literals,
                                [&](const std::string& one) { return text.find(one) != std::string::npos; }))
          expected.push_back(rule);
      }
      ASSERT_EQ(find(index, text), expected) << text;
    }
  }
}

}  // namespace
}  // namespace libmaps
