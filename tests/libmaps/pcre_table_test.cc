// What is pcre:'s alone. What it shares with regexp: is in pattern_table_test.cc.
#include "libmaps/pcre_table.h"

#include <gtest/gtest.h>

#include "tests/libmaps/pattern_case.h"

namespace libmaps {
namespace {

using Warnings = std::vector<std::string>;

struct LookupCase {
  const char* name;
  const char* rules;
  const char* key;
  Answer expected;
};

const LookupCase kLookups[] = {
    {"perl classes", "/^\\w+\\d{2}$/ x\n", "ab12", "x"},
    {"lookahead", "/^foo(?!bar)/ x\n", "foobar", std::nullopt},
    {"named group has a number", "/(?<n>x)_/ <$1>\n", "x_", "<x>"},
    {"flag s: dot matches no newline", "/^c.d/s x\n", "c\nd", std::nullopt},
    {"flag x: blanks do not count", "/a b # note/x ext\n", "ab", "ext"},
    {"flag A: only at the start", "/b/A x\n", "ab", std::nullopt},
    {"flag E: dollar is the very end", "/end$/E x\n", "end\n", std::nullopt},
    {"dollar is before a last newline, too", "/end$/ x\n", "end\n", "x"},
    {"flag U: least first", "/(g+?)(g*)/U <$1><$2>\n", "gggg", "<gggg><>"},
    {"flags together", "/c$/sA x\n", "abc", std::nullopt},
};

TEST(PcreTable, Lookups) {
  for (const LookupCase& test : kLookups) {
    SCOPED_TRACE(test.name);
    PatternCase table(open_pcre, test.rules);
    EXPECT_EQ(table.lookup(test.key), test.expected);
    EXPECT_EQ(table.warnings(), Warnings());
  }
}

struct WarningCase {
  const char* rule;
  const char* expected;
};

TEST(PcreTable, WarnsInItsOwnWords) {
  const WarningCase cases[] = {
      {"/abc x", "no closing regexp delimiter \"/\": ignoring this rule"},
      {"/a\\/ x", "no closing regexp delimiter \"/\": ignoring this rule"},
      {"\\a\\ x", "no closing regexp delimiter \"\\\": ignoring this rule"},
      {"/a/X x", "ignoring obsolete regexp option \"X\""},
      {"/(/ x", "error in regex at offset 1: missing closing parenthesis"},
      {"/a)/ x", "error in regex at offset 1: unmatched closing parenthesis"},
      {"/a{3,2}/ x", "error in regex at offset 5: numbers out of order in {} quantifier"},
      {"/[[:foo:]]/ x", "error in regex at offset 3: unknown POSIX class name"},
      {"/a**/ x", "error in regex at offset 2: quantifier does not follow a repeatable item"},
  };
  for (const WarningCase& test : cases) {
    SCOPED_TRACE(test.rule);
    PatternCase table(open_pcre, test.rule);
    EXPECT_EQ(table.warnings(), Warnings{std::string("pcre map m, line 1: ") + test.expected});
  }
}

TEST(PcreTable, CallsGroupZeroOutOfRange) {
  PatternCase table(open_pcre, "/(a)/ $0\n");
  EXPECT_EQ(table.warnings(), (Warnings{"pcre map m, line 1: out of range replacement index \"0\"",
                                        "pcre map m, line 1: bad replacement syntax: skipping this rule"}));
}

TEST(PcreTable, AcceptsAnObsoleteFlag) {
  PatternCase table(open_pcre, "/a/X x\n");
  EXPECT_EQ(table.lookup("a"), "x");
}

// A pattern that backtracks too long applies neither plainly nor negated; from the first lookup to those with
// machine code.
TEST(PcreTable, GivesUpAtTheMatchLimit) {
  const std::string key = std::string(40, 'a') + "!";
  const std::string warning = "pcre map m, line 1: match limit exceeded";
  for (const char* rules :
       {"/^(a+)+$/ x\n/!$/ next\n", "!/^(a+)+$/ x\n/!$/ next\n", "if /^(a+)+$/\n/./ in\nendif\n/!$/ next\n",
        "if !/^(a+)+$/\n/./ in\nendif\n/!$/ next\n"}) {
    SCOPED_TRACE(rules);
    PatternCase table(open_pcre, rules);
    EXPECT_EQ(table.lookup(key), "next");
    EXPECT_EQ(table.warnings(), Warnings{warning});
  }
  PatternCase table(open_pcre, "/^(a+)+$/ x\n/!$/ next\n");
  for (int i = 0; i < 1000; ++i) table.lookup("b");
  EXPECT_EQ(table.lookup(key), "next");
  EXPECT_EQ(table.warnings(), Warnings{warning});
}

TEST(PcreTable, MatchesLongSubjectsWithMachineCodeToo) {
  const std::string key(200'000, 'a');
  PatternCase table(open_pcre, "/^(a|b)*$/ x\n");
  for (int i = 0; i < 1000; ++i) table.lookup("b");
  EXPECT_EQ(table.lookup(key), "x");
  EXPECT_EQ(table.warnings(), Warnings());
}

TEST(PcreTable, AnswersTheSameWithMachineCode) {
  PatternCase table(open_pcre, "/^(.*)@(old(\\d+)|other)\\.example$/ $1@new$3.example\n!/@/ bare\n");
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(table.lookup("joe@old7.example"), "joe@new7.example");
    ASSERT_EQ(table.lookup("joe@other.example"), "joe@new.example");
    ASSERT_EQ(table.lookup("joe"), "bare");
    ASSERT_EQ(table.lookup("joe@else.example"), std::nullopt);
  }
}

}  // namespace
}  // namespace libmaps
