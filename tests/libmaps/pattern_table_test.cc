// What pcre: and regexp: tables have in common, and is said in the same words but for the type's name.
#include "libmaps/pattern_table.h"

#include <gtest/gtest.h>

#include "tests/libmaps/pattern_case.h"

namespace libmaps {
namespace {

struct Type {
  std::string name;
  OpenTable open;
};

class PatternTable : public testing::TestWithParam<Type> {
 protected:
  std::string says(int line, std::string_view what) const {
    return GetParam().name + " map m, line " + std::to_string(line) + ": " + std::string(what);
  }
};

INSTANTIATE_TEST_SUITE_P(Types, PatternTable,
                         testing::Values(Type{"pcre", open_pcre}, Type{"regexp", open_regexp}),
                         [](const auto& test) { return test.param.name; });

struct LookupCase {
  const char* name;
  const char* rules;
  const char* key;
  Answer expected;
};

const LookupCase kLookups[] = {
    {"first match wins", "/b/ one\n/a/ two\n/./ three\n", "a", "two"},
    {"no match", "/b/ one\n", "a", std::nullopt},
    {"ignores case", "/^ABC/ x\n", "abc", "x"},
    {"flag i minds case", "/^abc/i x\n", "ABC", std::nullopt},
    {"flag i twice", "/^abc/ii x\n", "ABC", "x"},
    {"dot matches a newline", "/a.*b/ x\n", "a\nb", "x"},
    {"caret is the start of the text", "/^b/ x\n", "a\nb", std::nullopt},
    {"flag m: caret is the start of a line", "/^b/m x\n", "a\nb", "x"},
    {"dot matches one byte of UTF-8", "/^j.rg$/ x\n", "j\xc3\xb6rg", std::nullopt},
    {"bytes beyond ASCII have no case", "/\xc3\xb6/ x\n", "\xc3\x96", std::nullopt},
    {"any delimiter", "|a/b| pipe\n", "a/b", "pipe"},
    {"delimiter is a byte",
     "\xc3"
     "a\xc3 x\n",
     "a", "x"},
    {"escaped delimiter", "/a\\/b/ x\n", "a/b", "x"},
    {"empty pattern", "// x\n", "abc", "x"},
    {"no key", "/^$/ x\n", "", "x"},
    {"blanks in the pattern", "/a b/ x\n", "a b", "x"},
    {"blanks inside a result stay", "/a/   x  y  \n", "a", "x  y"},
    {"continued result", "/a/ one\n   two\n#c\n\n  three\n", "a", "one   two  three"},
    {"negated", "!/^a/ x\n", "b", "x"},
    {"negated, but matches", "!/^a/ x\n", "a", std::nullopt},
    {"negated twice", "!!/^a/ x\n", "a", "x"},
    {"blanks about the negation", "! \t ! ! /^a/ x\n", "b", "x"},
    {"if", "if /^ab/\n/c$/ c\n/d$/ d\nendif\n/./ out\n", "abd", "d"},
    {"if does not apply", "if /^ab/\n/./ in\nendif\n/./ out\n", "xyz", "out"},
    {"no rule of the if applies", "if /^ab/\n/c$/ c\nendif\n/./ out\n", "abd", "out"},
    {"if not", "if !/^a/\n/./ x\nendif\n", "xyz", "x"},
    {"keywords ignore case", "iF /a/\n/./ in\nENDif\n/./ out\n", "b", "out"},
    {"no blank after if", "if!/a/\n/./ in\nendif\n/./ out\n", "b", "in"},
    {"if, then an odd delimiter", "if_a_\n/./ in\nendif\n/./ out\n", "b", "out"},
    {"nested if", "if /a/\nif /b/\n/./ ab\nendif\n/./ a\nendif\n/./ rest\n", "ac", "a"},
    {"nested in an if that fails", "if /a/\nif /b/\n/./ ab\nendif\n/./ a\nendif\n/./ rest\n", "bc", "rest"},
    {"empty if", "if /a/\nendif\n/./ rest\n", "a", "rest"},
    {"groups", "/^(a+)(b*)@(.*)$/ <$1|${2}|$(3)> $$1 ${1}x\n", "aab@dom", "<aa|b|dom> $1 aax"},
    {"group without a part", "/^none(x)?$/ [$1]\n", "none", "[]"},
    {"group keeps its case", "/^(.*)@(.*)$/ $2!$1\n", "MiXed@CASE.net", "CASE.net!MiXed"},
    {"more than nine groups", "/(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)/ $11$10\n", "abcdefghijk", "kj"},
    {"leading zeros", "/^(.)/ $001\n", "a", "a"},
    {"group number is an int", "/^(.)/ $4294967297\n", "a", "a"},
    {"a name ends at punctuation", "/^(.)/ $1-$1.\n", "a", "a-a."},
};

TEST_P(PatternTable, Lookups) {
  for (const LookupCase& test : kLookups) {
    SCOPED_TRACE(test.name);
    PatternCase table(GetParam().open, test.rules);
    EXPECT_EQ(table.lookup(test.key), test.expected);
    EXPECT_EQ(table.warnings(), std::vector<std::string>());
  }
}

struct WarningCase {
  const char* rules;
  std::vector<std::string> expected;  ///< About line 1.
};

const WarningCase kWarnings[] = {
    {"abc x\n", {"ignoring unrecognized request"}},
    {"9a9 x\n", {"ignoring unrecognized request"}},
    {"iffy\n", {"ignoring unrecognized request"}},
    {"endif1\n", {"ignoring unrecognized request"}},
    {"!\n", {"no regexp: skipping this rule"}},
    {"if\n", {"no regexp: skipping this rule"}},
    {"if !\n", {"no regexp: skipping this rule"}},
    {"/a/\n", {"no replacement text: using empty string"}},
    {"/a/i\r\n", {"no replacement text: using empty string"}},
    {"/a/iz\n", {"unknown regexp option \"z\": skipping this rule"}},
    {"/a/,x\n", {"unknown regexp option \",\": skipping this rule"}},
    {"!a/b! bang\n", {"unknown regexp option \"n\": skipping this rule"}},
    {"if /a/z text\n", {"unknown regexp option \"z\": skipping this rule"}},
    {"endif\n", {"ignoring ENDIF without matching IF"}},
    {"endif text\n", {"ignoring ENDIF without matching IF"}},
    {"if /a/\n", {"IF has no matching ENDIF"}},
    {"if /a/ text\nendif\n",
     {"ignoring extra text after IF statement: \"text\"",
      "do not prepend whitespace to statements between IF and ENDIF"}},
    {"/a/ $x\n", {"non-numeric replacement index \"x\"", "bad replacement syntax: skipping this rule"}},
    {"/(a)/ $1y\n", {"non-numeric replacement index \"1y\"", "bad replacement syntax: skipping this rule"}},
    {"/a/ $x $1y $2\n",
     {"non-numeric replacement index \"x\"", "non-numeric replacement index \"1y\"",
      "bad replacement syntax: skipping this rule"}},
    {"/(a)/ $x ${z} $y\n",
     {"non-numeric replacement index \"x\"", "bad replacement syntax: skipping this rule"}},
    {"/(a)/ ${ 1 }\n",
     {"non-numeric replacement index \" 1 \"", "bad replacement syntax: skipping this rule"}},
    {"/(a)/ $(1(2))\n",
     {"non-numeric replacement index \"1(2)\"", "bad replacement syntax: skipping this rule"}},
    {"/(a)/ ${1)}\n", {"non-numeric replacement index \"1)\"", "bad replacement syntax: skipping this rule"}},
    {"/(a)/ $1 $2\n", {"out of range replacement index \"2\": skipping this rule"}},
    {"/(a)/ $3 $4 $2\n", {"out of range replacement index \"4\": skipping this rule"}},
    {"/(a)/ $99999999999999999999\n", {"out of range replacement index \"-1\": skipping this rule"}},
    {"/(a)/ $2147483648\n", {"out of range replacement index \"-2147483648\": skipping this rule"}},
    {"!/(a)/ $1\n", {"$number found in negative match replacement text: skipping this rule"}},
    {"!/(/ $1\n", {"$number found in negative match replacement text: skipping this rule"}},
    {"/(/ $x\n", {"non-numeric replacement index \"x\"", "bad replacement syntax: skipping this rule"}},
};

TEST_P(PatternTable, WarnsOfRulesThatItCannotUse) {
  for (const WarningCase& test : kWarnings) {
    SCOPED_TRACE(test.rules);
    std::vector<std::string> expected;
    for (const std::string& text : test.expected) expected.push_back(says(1, text));
    PatternCase table(GetParam().open, test.rules);
    EXPECT_EQ(table.warnings(), expected);
  }
}

TEST_P(PatternTable, WarnsOfDollarsWithoutTheRule) {
  struct Case {
    const char* result;
    const char* expected;
  };
  const Case cases[] = {
      {"${1 $", "truncated macro reference: \"${1 $\""},
      {"x $(1}", "truncated macro reference: \"x $(1}\""},
      {"${1{}", "truncated macro reference: \"${1{}\""},
      {"end$", "empty macro name: \"end$\""},
      {"${}", "empty macro name: \"${}\""},
      {"$-1", "empty macro name: \"$-1\""},
  };
  for (const Case& test : cases) {
    PatternCase table(GetParam().open, std::string("/(a)/ ") + test.result + "\n/./ next\n");
    EXPECT_EQ(table.warnings(), (std::vector<std::string>{
                                    test.expected, says(1, "bad replacement syntax: skipping this rule")}));
    EXPECT_EQ(table.lookup("a"), "next");
  }
}

TEST_P(PatternTable, NamesTheFirstLineOfARule) {
  PatternCase table(GetParam().open, "# note\n/a/\n\n  x\n/b/z\n   y\n/c/\n");
  EXPECT_EQ(table.warnings(),
            (std::vector<std::string>{says(5, "unknown regexp option \"z\": skipping this rule"),
                                      says(7, "no replacement text: using empty string")}));
}

TEST_P(PatternTable, ReportsOpenIfsFromTheInnermost) {
  PatternCase table(GetParam().open, "if /a/\nif /b/\n/./ in\n");
  EXPECT_EQ(table.warnings(), (std::vector<std::string>{says(2, "IF has no matching ENDIF"),
                                                        says(1, "IF has no matching ENDIF")}));
  EXPECT_EQ(table.lookup("ab"), "in");
  EXPECT_EQ(table.lookup("a"), std::nullopt);
}

TEST_P(PatternTable, EndsAnIfInSpiteOfTextAfterIt) {
  PatternCase table(GetParam().open, "if /a/\n/./ in\nendif# text\n/./ out\n");
  EXPECT_EQ(table.warnings(), (std::vector<std::string>{says(3, "ignoring extra text after ENDIF")}));
  EXPECT_EQ(table.lookup("b"), "out");
}

TEST_P(PatternTable, DropsTheIfOfAPatternThatDoesNotCompile) {
  PatternCase table(GetParam().open, "if /(/\n/./ in\nendif\n");
  const std::vector<std::string> warnings = table.warnings();
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_EQ(warnings[1], says(3, "ignoring ENDIF without matching IF"));
  EXPECT_EQ(table.lookup("anything"), "in");
}

TEST_P(PatternTable, WarnsOfAFirstLineThatContinuesNothing) {
  PatternCase table(GetParam().open, " /a/ x\n/a/ y\n");
  EXPECT_EQ(table.warnings(),
            (std::vector<std::string>{"m: logical line must not start with whitespace: \" /a/ x\""}));
  EXPECT_EQ(table.lookup("a"), "y");
}

class InlinePatternTable : public PatternTable {
 protected:
  libconf::DiagnosticList list_;
  libconf::Settings settings_{nullptr, libconf::Host{}};
  TableContext context_{settings_, list_};
};

INSTANTIATE_TEST_SUITE_P(Types, InlinePatternTable,
                         testing::Values(Type{"pcre", open_pcre}, Type{"regexp", open_regexp}),
                         [](const auto& test) { return test.param.name; });

TEST_P(InlinePatternTable, TakesRulesFromItsName) {
  const std::string name = "{{/^a(.*)/ got $1}, {!/z/ noz}}";
  auto table = GetParam().open(name, context_);
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ((*table)->name(), GetParam().name + ":" + name);
  EXPECT_EQ(*(*table)->lookup("abc"), "got bc");
  EXPECT_EQ(*(*table)->lookup("xyz"), std::nullopt);
  EXPECT_EQ(*(*table)->lookup("xx"), "noz");
}

TEST_P(InlinePatternTable, IsNamedInWarnings) {
  const std::string name = "{{/a/z x}, {/c/ found}}";
  ASSERT_TRUE(GetParam().open(name, context_));
  EXPECT_EQ(libconf::messages(list_),
            (std::vector<std::string>{GetParam().name + " map " + name +
                                      ", line 1: unknown regexp option \"z\": skipping this rule"}));
}

TEST_P(InlinePatternTable, RefusesBracesThatDoNotBalance) {
  const auto table = GetParam().open("{{/a/ x}", context_);
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().kind, ErrorKind::kSyntax);
  EXPECT_EQ(table.error().message, GetParam().name + " map: missing '}' in \"{{/a/ x}\"");
}

TEST_P(InlinePatternTable, RefusesAFileThatIsNotThere) {
  const auto table = GetParam().open("absent", context_);
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().kind, ErrorKind::kInputOutput);
  EXPECT_EQ(table.error().message, "open absent: No such file or directory");
}

}  // namespace
}  // namespace libmaps
