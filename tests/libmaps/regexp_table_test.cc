// What is regexp:'s alone. What it shares with pcre: is in pattern_table_test.cc.
#include "libmaps/regexp_table.h"

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
    {"interval", "/^a{2}b$/ x\n", "aab", "x"},
    {"escaped parenthesis", "/x\\(y/ x\n", "x(y", "x"},
    {"lone closing parenthesis", "/)/ x\n", ")", "x"},
    {"class", "/[[:digit:]]/ x\n", "a1", "x"},
    {"leftmost, longest", "/(foo|foobar)(bar)?/ [$1] [$2]\n", "xfoobarx", "[foo] [bar]"},
    {"flag m: dot matches no newline", "/a.b/m x\n", "a\nb", std::nullopt},
    {"flag x: plus is plain", "/^a+/x x\n", "aa", std::nullopt},
    {"flag x: escaped groups", "/^\\(a*\\)b/x <$1>\n", "aab", "<aa>"},
    {"exception", "/a/!/b/ x\n", "ac", "x"},
    {"exception that matches", "/a/!/b/ x\n/./ y\n", "ab", "y"},
    {"exception with flags and blanks", "/(a)/i! |B|i $1\n", "aB", std::nullopt},
    {"exception to a negation", "!/a/!/b/ x\n", "c", "x"},
    {"exception that is negated", "/a/!!/b/ x\n", "ab", "x"},
    {"exception inside an if", "if /c/\n/a/!/b/ x\nendif\n/./ y\n", "ca", "x"},
    {"back reference", "/^(.)\\1$/ x\n", "aa", "x"},
};

TEST(RegexpTable, Lookups) {
  for (const LookupCase& test : kLookups) {
    SCOPED_TRACE(test.name);
    PatternCase table(open_regexp, test.rules);
    EXPECT_EQ(table.lookup(test.key), test.expected);
    EXPECT_EQ(table.warnings(), Warnings());
  }
}

struct WarningCase {
  const char* rule;
  const char* expected;
};

TEST(RegexpTable, WarnsInItsOwnWords) {
  const WarningCase cases[] = {
      {"/abc x", "no closing regexp delimiter \"/\": skipping this rule"},
      {"\\a\\ x", "no closing regexp delimiter \"\\\": skipping this rule"},
      {"/a/X x", "unknown regexp option \"X\": skipping this rule"},
      {"/(abc/ x", "Unmatched ( or \\("},
      {"/[z-a]/ x", "Invalid range end"},
      {"/*abc/ x", "Invalid preceding regular expression"},
      {"/[/ x", "Invalid regular expression"},
      {"/a/!/(/ x", "Unmatched ( or \\("},
      {"/a/!", "no regexp: skipping this rule"},
  };
  for (const WarningCase& test : cases) {
    SCOPED_TRACE(test.rule);
    PatternCase table(open_regexp, test.rule);
    EXPECT_EQ(table.warnings(), Warnings{std::string("regexp map m, line 1: ") + test.expected});
  }
}

TEST(RegexpTable, CallsGroupZeroOutOfRangeWithHyphens) {
  PatternCase table(open_regexp, "/(a)/ $0\n");
  EXPECT_EQ(table.warnings(), (Warnings{"regexp map m, line 1: out-of-range replacement index \"0\"",
                                        "regexp map m, line 1: bad replacement syntax: skipping this rule"}));
}

}  // namespace
}  // namespace libmaps
