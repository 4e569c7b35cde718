#include "libmaps/map_source.h"

#include <gtest/gtest.h>

namespace libmaps {
namespace {

TEST(ParseMapLine, SplitsKeyAndValue) {
  struct Case {
    std::string_view line;
    std::string_view key;
    std::string_view value;
  };
  // As the genuine postmap stores them.
  const Case cases[] = {
      {"key value", "key", "value"},
      {"key\t  two  words \t", "key", "two  words"},
      {"k v # no comment", "k", "v # no comment"},
      {"\"a b\" one", "\"a b\"", "one"},
      {"\"with \\\"q\\\" in\" two", "\"with \\\"q\\\" in\"", "two"},
      {"x\"y z\" five", "x\"y z\"", "five"},
      {"\"\" six", "\"\"", "six"},
      {"\"odd@x\"@example.net two", "\"odd@x\"@example.net", "two"},
      {"a\\ b c", "a\\ b", "c"},
      {"a\\\"b c", "a\\\"b", "c"},
      {"a one\r", "a", "one"},
  };
  for (const Case& c : cases) {
    const auto line = parse_map_line(c.line);
    ASSERT_TRUE(line) << c.line;
    EXPECT_EQ(line->key, c.key);
    EXPECT_EQ(line->value, c.value);
  }
}

TEST(ParseMapLine, SaysWhatIsWrong) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"lonely", "expected format: key whitespace value"},
      {"also \t ", "expected format: key whitespace value"},
      {"\"half four", "unbalanced '\"' in '\"half four' -- ignoring this line"},
      {"x\"a\\", "unbalanced '\"' in 'x\"a\\' -- ignoring this line"},
  };
  for (const auto& [text, message] : cases) {
    const auto line = parse_map_line(text);
    ASSERT_FALSE(line) << text;
    EXPECT_EQ(line.error().message, message);
  }
}

TEST(ParseMapLine, KnowsTheLookOfAliases) {
  EXPECT_TRUE(parse_map_line("alice: bob")->looks_like_alias());
  EXPECT_TRUE(parse_map_line("\"b\": two")->looks_like_alias());
  EXPECT_FALSE(parse_map_line("root : x")->looks_like_alias());
}

}  // namespace
}  // namespace libmaps
