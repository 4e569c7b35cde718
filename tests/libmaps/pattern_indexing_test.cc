// A pattern table answers the same with an index as rule by rule.
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "libmaps/pattern_table.h"
#include "tests/libmaps/pattern_case.h"
#include "tests/libmaps/random_patterns.h"

namespace libmaps {
namespace {

struct Type {
  const char* name;
  std::unique_ptr<PatternEngine> (*make)();
  std::span<const std::string_view> pieces;
};

constexpr PatternIndexing kAlways = {.least_rules = 1, .least_runs = 0};
constexpr PatternIndexing kNever = {.least_rules = std::numeric_limits<std::size_t>::max()};

class PatternIndexing : public testing::TestWithParam<Type> {
 protected:
  /// Opens `rules` as an inline table would be named, but from a file.
  std::unique_ptr<Table> open(const std::string& rules, libmaps::PatternIndexing indexing,
                              libconf::DiagnosticList& warnings) {
    directory_.write("m", rules);
    auto table = open_pattern_table(GetParam().make(), directory_.path("m"), {settings_, warnings}, indexing);
    EXPECT_TRUE(table);
    return *std::move(table);
  }

  void expect_same_answers(const std::string& rules, std::span<const std::string> keys) {
    libconf::DiagnosticList plain_warnings;
    libconf::DiagnosticList indexed_warnings;
    const auto plain = open(rules, kNever, plain_warnings);
    const auto indexed = open(rules, kAlways, indexed_warnings);
    ASSERT_EQ(libconf::messages(indexed_warnings), libconf::messages(plain_warnings));
    for (const std::string& key : keys) {
      const std::size_t warned = plain_warnings.items().size();
      const auto expected = plain->lookup(key);
      // A pattern that runs into a limit may be one that the index need not run.
      if (plain_warnings.items().size() > warned) continue;
      const auto actual = indexed->lookup(key);
      ASSERT_TRUE(expected && actual);
      ASSERT_EQ(*actual, *expected) << "key " << key << "\n" << rules;
      if (*expected) ++found_;
    }
  }

  postkit_test::TempDirectory directory_;
  libconf::Settings settings_{nullptr, libconf::Host{}};
  int found_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Types, PatternIndexing,
                         testing::Values(Type{"pcre", make_pcre_engine, kPcrePieces},
                                         Type{"regexp", make_regexp_engine, kPosixPieces}),
                         [](const auto& test) { return test.param.name; });

/// Rules of all forms about random patterns; `pattern` makes one.
template <class MakePattern>
std::string random_rules(std::mt19937& random, int count, MakePattern pattern) {
  std::string rules;
  int open = 0;
  for (int i = 0; i < count; ++i) {
    const auto kind = random() % 12;
    std::string text = "/" + pattern() + "/";
    if (random() % 8 == 0) text += "imx"[random() % 3];
    if (random() % 6 == 0) text.insert(0, "!");
    if (kind == 0) {
      rules += "if " + text + "\n";
      ++open;
    } else if (kind == 1 && open > 0) {
      rules += "endif\n";
      --open;
    } else {
      rules += text + " rule" + std::to_string(i) + (random() % 4 == 0 ? " <$1>\n" : "\n");
    }
  }
  return rules;
}

TEST_P(PatternIndexing, AnswersTheSameForPatternsOfAnyBits) {
  std::mt19937 random(4);
  for (int round = 0; round < 400; ++round) {
    const std::string rules = random_rules(random, 20, [&] {
      std::string pattern = random_pieces(random, GetParam().pieces, 5);
      for (char& c : pattern)
        if (c == '\n') c = ' ';
      return pattern;
    });
    std::vector<std::string> keys;
    for (int i = 0; i < 20; ++i) keys.push_back(random_pieces(random, kSubjectPieces, 6));
    expect_same_answers(rules, keys);
  }
  EXPECT_GT(found_, 1000);
}

TEST_P(PatternIndexing, AnswersTheSameForPatternsThatMatch) {
  std::mt19937 random(5);
  for (int round = 0; round < 30; ++round) {
    std::vector<std::string> keys;
    const std::string rules = random_rules(random, 40, [&] {
      MatchingPattern made = random_matching_pattern(random, GetParam().make == make_pcre_engine, 1);
      keys.push_back(random() % 2 == 0 ? made.subject : "the " + made.subject + " mail");
      return made.pattern;
    });
    expect_same_answers(rules, keys);
  }
  EXPECT_GT(found_, 300);
}

TEST_P(PatternIndexing, DecidesDeeplyNestedIfs) {
  std::string rules;
  for (int i = 0; i < 20'000; ++i) rules += "if /a/\n";
  rules += "/needle/ found\n";
  for (int i = 0; i < 20'000; ++i) rules += "endif\n";
  const std::vector<std::string> keys = {"a needle", "needle", "a"};
  expect_same_answers(rules, keys);
  EXPECT_EQ(found_, 1);
}

TEST_P(PatternIndexing, NegatedRulesApplyWhereTheirLiteralIsMissing) {
  const std::vector<std::string> keys = {"needle", "NEEDLE here", "nothing", ""};
  expect_same_answers("if !/^needle/\n!/here$/ one\nendif\n!/needle/ two\n/./ three\n", keys);
  EXPECT_EQ(found_, 4);
}

}  // namespace
}  // namespace libmaps
