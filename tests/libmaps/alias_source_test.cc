#include "libmaps/alias_source.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <utility>

namespace libmaps {
namespace {

TEST(ParseAliasLine, WritesValuesAsPostaliasDoes) {
  // As the genuine postalias stores them.
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"a b  c", "a b c"},
      {"a . b @ c . d", "a.b@c.d"},
      {"a@[ 1.2.3.4 ]", "a@[ 1.2.3.4 ]"},
      {"<a@b> , <c>", "<a@b>, <c>"},
      {"< a @ b >", "<a@b>"},
      {"\"a\"b", "\"a\" b"},
      {"a\"b\"", "a \"b\""},
      {"a\\ b", "\"a b\""},
      {"a\\,b", "\"a,b\""},
      {"\"a\\\"b\"", "\"a\\\"b\""},
      {"\"a\\\\b\"", "\"a\\\\b\""},
      {"(c)d(e)", "(c) d (e)"},
      {"(a(b)c)d", "(a(b)c) d"},
      {"(unclosed", "(unclosed"},
      {"x ) y", "x)y"},
      {"a ; b", "a;b"},
      {"g: a, b ; c", "g:a, b;c"},
      {"g:a,b;,c", "g:a, b;, c"},
      {"[x", "[x]"},
      {"x]y", "x]y"},
      {"a,", "a, "},
      {", ,", ", , "},
      {"\"|cmd a\" b", "\"|cmd a\" b"},
      {"| cmd arg", "|cmd arg"},
      {"/a/b c", "/a/b c"},
      {"|\"cmd arg\"", "|\"cmd arg\""},
      {":include: /a", ":include:/a"},
      {"a\"", "a \"\""},
      {"a\"\"b", "a \"\" b"},
      {"a\\", "a"},
      {"a. b", "a.b"},
      {"\"a b\"@c", "\"a b\"@c"},
      {"(a\\)b)c", "(a\\)b) c"},
      {"[a\\]b]c", "[a]b] c"},
      {"[a\\\\b] [\\c\\", "[a\\\\b] [c]"},
      {"[b\\\\c]", "[b\\\\c]"},
      {"::", "::"},
      {"a <b> c", "a <b>c"},
      {"a<b>, <c>", "a <b>, <c>"},
      {"a ! b % c | d", "a!b%c|d"},
      {"a # b ' c / d", "a # b ' c / d"},
      {"a@b (c), d", "a@b (c), d"},
      {"\"a  b\"   c", "\"a  b\" c"},
  };
  for (const auto& [text, value] : cases) {
    const auto line = parse_alias_line("k: " + std::string(text));
    ASSERT_TRUE(line) << text;
    EXPECT_EQ(line->name, "k");
    EXPECT_EQ(line->value, value) << text;
  }
}

TEST(ParseAliasLine, KeepsNamesInTheirQuotedForm) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"a: x", "a"},
      {"c :x", "c"},
      {"key value: x", "key value"},
      {"\"a b\": x", "\"a b\""},
      {"\"a:b\": x", "\"a:b\""},
      {"\"q\\\"q\": x", "\"q\\\"q\""},
      {"f\"g\"h: x", "f \"g\" h"},
      {"\"\": x", "\"\""},
      {"'s': x", "'s'"},
      {"(c) q: x", "(c) q"},
      {"\\a: x", "a"},
      {"\"user@example.net\": x", "\"user@example.net\""},
  };
  for (const auto& [text, name] : cases) {
    const auto line = parse_alias_line(text);
    ASSERT_TRUE(line) << text;
    EXPECT_EQ(line->name, name) << text;
  }
}

TEST(ParseAliasLine, SaysWhatIsWrong) {
  constexpr std::string_view kPair = "need name:value pair";
  constexpr std::string_view kLocal = "name must be local and have no domain";
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"just words", kPair},
      {"a:", kPair},
      {"d:   ", kPair},
      {": novalue", kPair},
      {"\"open: e", kPair},
      {"a,b: c", kPair},
      {"user@example.net: x", kLocal},
      {"@example.net: z", kLocal},
      {"<a@b>: x", kLocal},
  };
  for (const auto& [text, message] : cases) {
    const auto line = parse_alias_line(text);
    ASSERT_FALSE(line) << text;
    EXPECT_EQ(line.error().message, message) << text;
  }
}

TEST(ParsePlainAliasLine, TakesOneWordForOneName) {
  const auto plain = parse_plain_alias_line("user.1:\tbox1@example.com ");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->name, "user.1");
  EXPECT_EQ(plain->value, "box1@example.com");
  for (const std::string_view text :
       {"a: b c", "a: b,c", "a : b", "a:", ": b", "a@b: c", "a: \"b\"", "a: b\\ c"})
    EXPECT_FALSE(parse_plain_alias_line(text)) << text;
}

TEST(ParsePlainAliasLine, AgreesWithParseAliasLine) {
  std::mt19937 random(11);
  int plain_lines = 0;
  for (int round = 0; round < 300'000; ++round) {
    std::string text(random() % 8, '\0');
    for (char& c : text) c = "ab:: \t\r\",.\\@!%|<>()[];"[random() % 23];
    const auto plain = parse_plain_alias_line(text);
    if (!plain) continue;
    ++plain_lines;
    const auto line = parse_alias_line(text);
    ASSERT_TRUE(line) << text;
    EXPECT_EQ(plain->name, line->name) << text;
    EXPECT_EQ(plain->value, line->value) << text;
  }
  EXPECT_GT(plain_lines, 1000);
}

}  // namespace
}  // namespace libmaps
