#include "libmaps/json_query.h"

#include <gtest/gtest.h>

#include <random>

#include "libmaps/utf8.h"

namespace libmaps {
namespace {

std::string quote(std::string_view text) {
  std::string out;
  quote_json(text, out);
  return out;
}

/// Reads the JSON string at the start of `text`, without its first quote (RFC 4627, section 2.5). Nothing: it
/// is malformed, or does not end where the text does.
std::optional<std::string> read_string(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (static_cast<unsigned char>(text[i]) < 0x20) return std::nullopt;
    if (text[i] == '"') return i + 1 == text.size() ? std::optional(out) : std::nullopt;
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (const std::size_t name = kNames.find(text[i]); name != std::string_view::npos) {
      out += kMeanings[name];
    } else {
      if (text[i] != 'u' || i + 4 >= text.size()) return std::nullopt;
      const unsigned long code = std::stoul(std::string(text.substr(i + 1, 4)), nullptr, 16);
      if (code >= 0x80) return std::nullopt;  // Nothing beyond ASCII needs quoting.
      out += static_cast<char>(code);
      i += 4;
    }
  }
  return std::nullopt;
}

TEST(JsonQuery, QuotesWhatEndsAStringOrIsNotAllowedInOne) {
  using namespace std::literals;
  static constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"", ""},
      {"joe@example.com", "joe@example.com"},
      {"\"", "\\\""},
      {"\\", "\\\\"},
      {"\\\"", "\\\\\\\""},
      {"{$gt: 1}", "{$gt: 1}"},
      {"a\001b", "a\\u0001b"},
      {"a\0b"sv, "a\\u0000b"},
      {"\u00e9\U0001f4a9", "\u00e9\U0001f4a9"},
  };
  for (const auto& [text, expected] : kCases) EXPECT_EQ(quote(text), expected) << text;
}

TEST(JsonQuery, AppendsToTheOpenString) {
  std::string out = "{\"a\": \"x";
  quote_json("\"y", out);
  EXPECT_EQ(out, "{\"a\": \"x\\\"y");
}

/// Any UTF-8 text comes out of a JSON reader as it was.
TEST(JsonQuery, NothingBreaksOut) {
  using namespace std::literals;
  std::mt19937 random(4627);
  const std::string alphabet = "\"\\{}[]:,$%'/u\0\001\037\177 \t\r\nab"s;
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (std::size_t length = random() % 20; length > 0; --length)
      text +=
          random() % 8 == 0 ? std::string("\u20ac") : std::string(1, alphabet[random() % alphabet.size()]);
    ASSERT_TRUE(is_utf8(text));
    EXPECT_EQ(read_string(quote(text) + "\""), text) << quote(text);
  }
}

TEST(JsonQuery, FindsConversionsOutsideOfStrings) {
  static constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"", ""},
      {R"({"name": "%s"})", ""},
      {R"({"%u": {"x": "%d-%1"}, "n": 1})", ""},
      {R"({"name": %s})", "%s"},
      {R"({%u: "%s"})", "%u"},
      {R"({"name": "%s" %1})", "%1"},
      {R"({"a\"": "%s"})", ""},
      {R"({"a\\": %s})", "%s"},
      {R"({"a\\\"%s": 1})", ""},
      {R"({"a": "b\\"%d"})", "%d"},
      {"100%%", ""},
      {R"(%%"%s")", ""},
      {"%", "%"},
      {"\"%", ""},
      {"\"\\", ""},
  };
  for (const auto& [query, expected] : kCases)
    EXPECT_EQ(find_unquoted_conversion(query).value_or(""), expected) << query;
}

TEST(JsonQuery, KnowsWhereAnObjectEnds) {
  static constexpr std::pair<std::string_view, bool> kCases[] = {
      {"{}", true},
      {" {\"a\": {\"b\": [{}, {}]}} \n", true},
      {R"({"a": "}", "b\"}": "{"})", true},
      {R"({"a\\": {}})", true},
      {"", false},
      {"{", false},
      {"{{}", false},
      {"[]", false},
      {"[{}]", false},
      {"\"{}\"", false},
      {"{} {}", false},
      {R"({"a": 1}, "b": 1})", false},
      {R"({"a": "})", false},
      {R"({"a": "\)", false},
  };
  for (const auto& [text, expected] : kCases) EXPECT_EQ(is_one_object(text), expected) << text;
}

}  // namespace
}  // namespace libmaps
