#include "libmaps/required_literal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "libmaps/pcre_lexer.h"
#include "libmaps/pcre_table.h"
#include "libmaps/posix_lexer.h"
#include "libmaps/regexp_table.h"
#include "tests/libmaps/random_patterns.h"

namespace libmaps {
namespace {

struct LiteralCase {
  const char* pattern;
  LiteralChoices expected;
};

using Lex = std::unique_ptr<PatternLexer> (*)(std::string_view);

void expect_literals(Lex lex, std::span<const LiteralCase> cases) {
  for (const LiteralCase& test : cases) {
    LiteralChoices literals;
    EXPECT_TRUE(examine_pattern(*lex(test.pattern), &literals)) << test.pattern;
    EXPECT_EQ(literals, test.expected) << test.pattern;
  }
}

void expect_not_understood(Lex lex, std::span<const char* const> patterns) {
  for (const char* pattern : patterns) {
    LiteralChoices literals;
    EXPECT_FALSE(examine_pattern(*lex(pattern), &literals)) << pattern;
    EXPECT_TRUE(literals.empty()) << pattern;
  }
}

std::unique_ptr<PatternLexer> pcre(std::string_view text) { return std::make_unique<PcreLexer>(text); }
std::unique_ptr<PatternLexer> extended(std::string_view text) {
  return std::make_unique<PosixLexer>(text, true);
}
std::unique_ptr<PatternLexer> basic(std::string_view text) {
  return std::make_unique<PosixLexer>(text, false);
}

// What all syntaxes but the basic one say alike.
const LiteralCase kCommon[] = {
    {"", {}},
    {"ab", {}},
    {"abc", {{"abc"}}},
    {"ABc", {{"abc"}}},
    {"^abc$", {{"abc"}}},
    {"^Subject:.*cheap pills", {{"subject:"}, {"cheap pills"}}},
    {"a.bcd", {{"bcd"}}},
    {"\\.exe$", {{".exe"}}},
    {"mail[.]example", {{"mail.example"}}},
    {"foo[ab]r", {{"fooar", "foobr"}}},
    {"foo[Aa]r", {{"fooar"}}},
    {"foo[^a]bar", {{"foo"}, {"bar"}}},
    {"foo[a-z]bar", {{"foo"}, {"bar"}}},
    {"foo[[:digit:]]bar", {{"foo"}, {"bar"}}},
    {"[]x]yz", {{"]yz", "xyz"}}},
    {"abc*", {}},
    {"abcd*", {{"abc"}}},
    {"abcd?", {{"abcd", "abc"}}},
    {"colou?r", {{"colour", "color"}}},
    {"abc+def", {{"abc"}, {"cdef"}}},
    {"abc{2}def", {{"abccdef"}}},
    {"abc{2,}def", {{"abc"}, {"cdef"}}},
    {"abc{0,2}def", {{"def"}}},
    {"(abc)def", {{"abcdef"}}},
    {"(abc)*def", {{"def"}}},
    {"(abc)+def", {{"abc"}, {"abcdef"}}},
    {"(abc.*def)+ghi", {{"abc"}, {"def"}, {"ghi"}}},
    {"\\.(exe|scr)$", {{".exe", ".scr"}}},
    {"abc|def", {{"abc", "def"}}},
    {"abc|de", {}},
    {"abc|d.*efg|hij", {{"abc", "efg", "hij"}}},
    {"abc|.*", {}},
    {"(a|b)cd", {{"acd", "bcd"}}},
    {"((a|b)c|d)ef", {{"acef", "bcef", "def"}}},
    {"a{b", {}},
};

TEST(RequiredLiteral, OfWhatSyntaxesShare) {
  const std::span<const LiteralCase> cases(kCommon, std::size(kCommon) - 1);
  expect_literals(pcre, cases);
  expect_literals(extended, cases);
}

TEST(RequiredLiteral, OfPerlCompatiblePatterns) {
  const LiteralCase cases[] = {
      {"a{bcd", {{"a{bcd"}}},
      {"\\Qa.b*\\Ec", {{"a.b*c"}}},
      {"ab\\E*cde", {{"cde"}}},
      {"\\Qabc", {{"abc"}}},
      {"\\x41b\\tc", {{"ab\tc"}}},
      {"foo\\dbar", {{"foo"}, {"bar"}}},
      {"foo\\bbar", {{"foobar"}}},
      {"(?:abc|def)g", {{"abcg", "defg"}}},
      {"(?i)abc", {{"abc"}}},
      {"(?i:abc)(?-i)d", {{"abcd"}}},
      {"abc(?=def)ghi", {{"abcghi"}}},
      {"abc(?!def)", {{"abc"}}},
      {"(?<=abc)def", {{"def"}}},
      {"(?<name>abc)d", {{"abcd"}}},
      {"a(?#note)b(?#*)c", {{"abc"}}},
      {"abcd*?e", {{"abc"}}},
      {"abcd++e", {{"abcd"}}},
      {"(abc)\\1def", {{"abc"}, {"def"}}},
      {"j\xc3\xb6rg", {{"j\xc3\xb6rg"}}},
  };
  expect_literals(pcre, cases);
}

TEST(RequiredLiteral, OfExtendedExpressions) {
  const LiteralCase cases[] = {
      {"a\\{bcd", {{"a{bcd"}}},
      {"a\\dbc", {{"adbc"}}},                      // No class here.
      {"foo[\\d]bar", {{"foo\\bar", "foodbar"}}},  // A backslash is plain in brackets.
      {"foo\\<bar\\>", {{"foobar"}}},
      {"foo\\wbar", {{"foo"}, {"bar"}}},
      {"(abc)\\1def", {{"abc"}, {"def"}}},
      {"abc\xc3\xb6"
       "def",
       {{"abc"}, {"def"}}},  // Other locales know a letter with two cases.
  };
  expect_literals(extended, cases);
}

TEST(RequiredLiteral, OfBasicExpressions) {
  const LiteralCase cases[] = {
      {"^ab+c$", {{"ab+c"}}},
      {"a(b|c)", {{"a(b|c)"}}},
      {"\\(abc\\)d", {{"abcd"}}},
      {"\\(abc\\|def\\)", {{"abc", "def"}}},
      {"abc\\+def", {{"abc"}, {"cdef"}}},
      {"abcd\\?", {{"abcd", "abc"}}},
      {"abc\\{2\\}d", {{"abccd"}}},
      {"a{2}b", {{"a{2}b"}}},
      {"abcd*", {{"abc"}}},
  };
  expect_literals(basic, cases);
}

TEST(RequiredLiteral, OfNothingThatIsNotUnderstood) {
  const char* const for_pcre[] = {"abc(",     "abc)",      "*abc",      "abc**",        "abc[z-a]",
                                  "abc(?x)d", "(*UTF)abc", "abc(?R)",   "(?(1)abc)",    "(?|abc)",
                                  "abc\\pL",  "abc\\141",  "abc\\k<n>", "abc{2,1}",     "abc{,2}",
                                  "abc{300}", "^*abc",     "abc\\",     "abc[[:foo:]]", "abc[\\d-z]",
                                  "abc(?i",   "abc(?#",    "(?n)abc",   "[:alpha:]abc", "a\\Kbc"};
  const char* const for_extended[] = {"abc(",     "abc)",       "*abc",     "abc|*d",  "^*abc",
                                      "abc[z-a]", "abc[[.x.]]", "abc{2,1}", "abc{,2}", "abc{x",
                                      "abc\\",    "abc[",       "abc**"};
  const char* const for_basic[] = {"\\(abc", "abc\\)", "*abc", "^*abc", "a^bc", "a$bc", "abc\\{x", "abc\\"};
  expect_not_understood(pcre, for_pcre);
  expect_not_understood(extended, for_extended);
  expect_not_understood(basic, for_basic);
}

TEST(RequiredLiteral, StaysSmallForManyAlternatives) {
  LiteralChoices literals;
  std::string pattern = "abc";
  for (int i = 0; i < 40; ++i) pattern += "[ab][cd](e|f)";
  ASSERT_TRUE(examine_pattern(*pcre(pattern), &literals));
  for (const Literals& choice : literals) EXPECT_LE(choice.size(), 64U);
  ASSERT_FALSE(examine_pattern(*pcre(std::string(1000, '(') + std::string(1000, ')')), &literals));
}

struct Engine {
  const char* name;
  std::unique_ptr<PatternEngine> (*make)();
  std::span<const std::string_view> pieces;
  std::uint32_t toggled_options;
};

// The letter x of regexp: toggles REG_EXTENDED.
std::uint32_t regexp_option(char letter) {
  for (const PatternFlag& flag : make_regexp_engine()->dialect().flags)
    if (flag.letter == letter) return flag.option;
  return 0;
}

class PatternProperty : public testing::TestWithParam<Engine> {
 protected:
  std::unique_ptr<PatternEngine> engine_ = GetParam().make();
  std::uint32_t options_ = engine_->dialect().default_options ^ GetParam().toggled_options;

  static bool has_one_of_each(std::string subject, const LiteralChoices& literals) {
    std::ranges::transform(subject, subject.begin(), fold_case);
    return std::ranges::all_of(literals, [&](const Literals& choice) {
      return std::ranges::any_of(
          choice, [&](const std::string& text) { return subject.find(text) != std::string::npos; });
    });
  }
};

INSTANTIATE_TEST_SUITE_P(Engines, PatternProperty,
                         testing::Values(Engine{"pcre", make_pcre_engine, kPcrePieces, 0},
                                         Engine{"extended", make_regexp_engine, kPosixPieces, 0},
                                         Engine{"basic", make_regexp_engine, kPosixPieces,
                                                regexp_option('x')}),
                         [](const auto& test) { return test.param.name; });

// What is certain is so, and what matches has the literals: for any sequence of bits, most of them broken.
TEST_P(PatternProperty, HoldsForPatternsOfAnyBits) {
  std::mt19937 random(1);
  int certain = 0;
  int matched = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string pattern = random_pieces(random, GetParam().pieces, 7);
    LiteralChoices literals;
    const auto facts = engine_->examine(pattern, options_, &literals);
    const auto compiled = engine_->compile(pattern, options_, false);
    if (!facts) continue;
    if (facts->is_certain) {
      ++certain;
      ASSERT_TRUE(compiled) << pattern << ": " << compiled.error().message;
    }
    if (!compiled) continue;
    ASSERT_EQ((*compiled)->group_count(), facts->group_count) << pattern;
    Captures none;
    for (int j = 0; j < 8; ++j) {
      const std::string subject = random_pieces(random, kSubjectPieces, 6);
      const auto answer = (*compiled)->match(subject, none);
      if (!answer || !*answer) continue;
      ++matched;
      ASSERT_TRUE(has_one_of_each(subject, literals)) << pattern << " matches " << subject;
    }
  }
  EXPECT_GT(certain, 1000);
  EXPECT_GT(matched, 1000);
}

class MatchingPatternProperty : public PatternProperty {};

INSTANTIATE_TEST_SUITE_P(Engines, MatchingPatternProperty,
                         testing::Values(Engine{"pcre", make_pcre_engine, {}, 0},
                                         Engine{"extended", make_regexp_engine, {}, 0}),
                         [](const auto& test) { return test.param.name; });

TEST_P(MatchingPatternProperty, HoldsForPatternsThatMatch) {
  std::mt19937 random(2);
  int with_literals = 0;
  for (int i = 0; i < 250; ++i) {
    const MatchingPattern test = random_matching_pattern(random, GetParam().make == make_pcre_engine, 2);
    LiteralChoices literals;
    const auto facts = engine_->examine(test.pattern, options_, &literals);
    const auto compiled = engine_->compile(test.pattern, options_, false);
    ASSERT_TRUE(compiled) << test.pattern << ": " << compiled.error().message;
    if (!facts) continue;
    ASSERT_EQ((*compiled)->group_count(), facts->group_count) << test.pattern;
    Captures none;
    const auto answer = (*compiled)->match(test.subject, none);
    if (!answer || !*answer) continue;
    with_literals += literals.empty() ? 0 : 1;
    ASSERT_TRUE(has_one_of_each(test.subject, literals)) << test.pattern << " matches " << test.subject;
  }
  EXPECT_GT(with_literals, 100);
}

}  // namespace
}  // namespace libmaps
