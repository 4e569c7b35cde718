#include "tools/postexplain/cases.h"

#include <gtest/gtest.h>

namespace postexplain {
namespace {

using Words = std::vector<std::string>;

struct LineCase {
  const char* line;
  Words arguments;
  const char* name;
};

TEST(Cases, WordsAreThoseOfAShell) {
  const LineCase cases[] = {
      {"--client 192.0.2.7 --tls", {"--client", "192.0.2.7", "--tls"}, ""},
      {"  --a\tb  # who may  ", {"--a", "b"}, "who may"},
      {"--sender '' --recipient \"a b\"@x", {"--sender", "", "--recipient", "a b@x"}, ""},
      {R"(--sender '"a b"'@x)", {"--sender", "\"a b\"@x"}, ""},
      {R"(--sender a\ b@x "\"" '\')", {"--sender", "a b@x", "\"", "\\"}, ""},
      {"--expect a#b '#c' # d # e", {"--expect", "a#b", "#c"}, "d # e"},
      {"x\r", {"x"}, ""},
  };
  for (const LineCase& each : cases) {
    const auto read = parse_cases(each.line, "cases");
    ASSERT_TRUE(read) << each.line;
    ASSERT_EQ(read->size(), 1u) << each.line;
    EXPECT_EQ(read->front().arguments, each.arguments) << each.line;
    EXPECT_EQ(read->front().name, each.name) << each.line;
  }
}

TEST(Cases, LinesAreCounted) {
  const auto read = parse_cases("# a comment\n\n--tls\n   \n--live # last", "cases");
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0].line, 3);
  EXPECT_EQ((*read)[1].line, 5);
  const auto broken = parse_cases("--tls\n--sender 'a\n", "cases");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().message, "cases, line 2: unbalanced quote");
}

}  // namespace
}  // namespace postexplain
