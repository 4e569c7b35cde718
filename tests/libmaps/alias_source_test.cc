#include "libmaps/alias_source.h"

#include <gtest/gtest.h>

namespace libmaps {
namespace {

struct Case {
  const char* description;
  const char* line;
  const char* name;
  const char* value;
};

// The values are those that postalias of Postfix 3.7 stores.
constexpr Case kCases[] = {
    {"a list", "a:  x,y ,  z", "a", "x, y, z"},
    {"words", "a: x   y", "a", "x y"},
    {"quoted strings", R"(a: "x""y" z"q r"s)", "a", R"("x" "y" z "q r" s)"},
    {"comments", "a: (c)x(d)y", "a", "(c) x (d) y"},
    {"a domain literal", "a: x@[1.2.3.4]y", "a", "x@[1.2.3.4] y"},
    {"backslashes in a domain literal", R"(a: [b\\c] [b\]c] [\d\)", "a", R"([b\\c] [b]c] [d])"},
    {"a command, quoted within", R"(a: |"/bin/p 1", x)", "a", R"(|"/bin/p 1", x)"},
    {"a command, quoted as a whole", R"(a: "|/bin/p 1")", "a", R"("|/bin/p 1")"},
    {"a blank behind the bar", R"(a: | "/bin/p")", "a", R"(|"/bin/p")"},
    {"old separators need no blank", R"(a: x!y % "q"!"r" |z)", "a", R"(x!y%"q"!"r"|z)"},
    {"a backslash makes a letter of a special", R"(a: \|x, \!x, \%x, \<x, \,x, \/x)", "a",
     R"("|x", "!x", "%x", "<x", ",x", /x)"},
    {"a blank before <", "a: x<y>z, <v>", "a", "x <y>z, <v>"},
    {"< first, and again", "a: <<x", "a", "< <x"},
    {"unbalanced", R"(a: "x)", "a", R"("x")"},
    {"a quoted name", R"("a b": x)", R"("a b")", "x"},
};

TEST(AliasSource, WritesNameAndValueAnew) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.description);
    const auto parsed = parse_alias_line(c.line);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->name, c.name);
    EXPECT_EQ(parsed->value, c.value);
  }
}

TEST(AliasSource, RefusesWhatIsNoAlias) {
  constexpr struct {
    const char* line;
    const char* message;
  } kBad[] = {
      {"no colon", "need name:value pair"},
      {"a:", "need name:value pair"},
      {": x", "need name:value pair"},
      {"a, b: x", "need name:value pair"},
      {"a@b: x", "name must be local and have no domain"},
  };
  for (const auto& bad : kBad) {
    SCOPED_TRACE(bad.line);
    const auto parsed = parse_alias_line(bad.line);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().message, bad.message);
  }
}

}  // namespace
}  // namespace libmaps
