#include "libconf/text.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace libconf {
namespace {

using Strings = std::vector<std::string>;

TEST(Text, Space) {
  for (char c : std::string(" \t\n\v\f\r")) EXPECT_TRUE(is_space(c)) << static_cast<int>(c);
  for (char c : std::string("a0#=\0\x08\x0E\x85\xA0", 9)) EXPECT_FALSE(is_space(c)) << static_cast<int>(c);
}

TEST(Text, Ascii) {
  EXPECT_TRUE(is_ascii(""));
  EXPECT_TRUE(is_ascii(std::string_view("\0 \x7f", 3)));
  EXPECT_FALSE(is_ascii("a\x80"));
  EXPECT_FALSE(is_ascii("\xff"));
}

TEST(Text, NameCharacters) {
  for (char c : std::string("azAZ09_")) EXPECT_TRUE(is_name_char(c)) << c;
  for (char c : std::string("-.$ {}:?/@[`\xC3")) EXPECT_FALSE(is_name_char(c)) << c;
}

TEST(Text, Digits) {
  for (const char* text : {"0", "0123456789", "99999999999999999999"})
    EXPECT_TRUE(is_all_digits(text)) << text;
  for (const char* text : {"", "-1", "+1", "1a", " 1", "1 ", "1.0"})
    EXPECT_FALSE(is_all_digits(text)) << text;
}

TEST(Text, Trim) {
  struct Case {
    const char* text;
    const char* left;
    const char* both;
  };
  for (const Case& c : {Case{"", "", ""}, Case{"a", "a", "a"}, Case{" \ta b\r\n", "a b\r\n", "a b"},
                        Case{" \n\v\f ", "", ""}, Case{"a ", "a ", "a"}}) {
    EXPECT_EQ(trim_left(c.text), c.left);
    EXPECT_EQ(trim(c.text), c.both);
  }
  EXPECT_TRUE(has_blank("a b"));
  EXPECT_TRUE(has_blank("a\n"));
  EXPECT_FALSE(has_blank("a\vb"));
  EXPECT_FALSE(has_blank(""));
}

TEST(Text, Concat) {
  EXPECT_EQ(concat("a", std::string("b"), std::string_view("c")), "abc");
  EXPECT_EQ(concat(""), "");
}

struct WordCase {
  const char* name;
  const char* text;
  Strings plain;
  Strings braced;
};

TEST(Text, Words) {
  const WordCase cases[] = {
      {"empty", "", {}, {}},
      {"separators only", " ,\t ", {}, {}},
      {"words", "a b,c", {"a", "b", "c"}, {"a", "b", "c"}},
      {"separators around", " ,a, ,b ", {"a", "b"}, {"a", "b"}},
      {"braces", "a={b c} d", {"a={b", "c}", "d"}, {"a={b c}", "d"}},
      {"nested braces", "{a {b c}} d", {"{a", "{b", "c}}", "d"}, {"{a {b c}}", "d"}},
      {"open brace takes the rest", "a {b c d", {"a", "{b", "c", "d"}, {"a", "{b c d"}},
      {"closing brace alone", "a} b", {"a}", "b"}, {"a}", "b"}},
      {"closing brace does not close a later one", "} {a b} c", {"}", "{a", "b}", "c"}, {"}", "{a b}", "c"}},
      {"text glued behind braces", "{a b}c d", {"{a", "b}c", "d"}, {"{a b}c", "d"}},
  };
  for (const WordCase& c : cases) {
    SCOPED_TRACE(std::string(c.name) + ": " + c.text);
    Strings plain, braced;
    std::string_view rest = c.text;
    while (const auto word = next_word(rest, ", \t")) plain.emplace_back(*word);
    EXPECT_TRUE(rest.empty());
    rest = c.text;
    while (const auto word = next_braced_word(rest, ", \t")) braced.emplace_back(*word);
    EXPECT_TRUE(rest.empty());
    EXPECT_EQ(plain, c.plain);
    EXPECT_EQ(braced, c.braced);
  }
}

TEST(Text, BalancedLength) {
  struct Case {
    const char* text;
    std::size_t length;
  };
  for (const Case& c :
       {Case{"{}", 2}, Case{"{a}b", 3}, Case{"{a{b}c}d}", 7}, Case{"{", std::string_view::npos},
        Case{"{a{b}", std::string_view::npos}, Case{"{}{", 2}})
    EXPECT_EQ(balanced_length(c.text), c.length) << c.text;
}

TEST(Text, CollapseBlanks) {
  struct Case {
    const char* text;
    const char* expected;
  };
  for (const Case& c : {Case{"", ""}, Case{" \t\r\n", ""}, Case{"a", "a"}, Case{"  a \t b\r\n c ", "a b c"},
                        Case{"a\vb", "a\vb"}})
    EXPECT_EQ(collapse_blanks(c.text), c.expected);
}

TEST(Text, SplitNameValue) {
  struct Case {
    const char* name;
    const char* text;
    NameValueFault fault;
    const char* left = "";
    const char* right = "";
  };
  constexpr NameValueFault kNone = NameValueFault::kNone;
  constexpr NameValueFault kMissingName = NameValueFault::kMissingName;
  constexpr NameValueFault kMissingEquals = NameValueFault::kMissingEquals;
  const Case cases[] = {
      {"plain", "a=b", kNone, "a", "b"},
      {"blanks", "  a \t= b c  ", kNone, "a", "b c"},
      {"first equals sign", "a=b=c", kNone, "a", "b=c"},
      {"empty value", "a=", kNone, "a", ""},
      {"blank value", "a =  ", kNone, "a", ""},
      {"second equals sign at once", "a==b", kNone, "a", "=b"},
      {"empty", "", kMissingName},
      {"blanks only", "  ", kMissingName},
      {"equals sign only", "=", kMissingName},
      {"no name", " = b", kMissingName},
      {"no equals sign", "a", kMissingEquals},
      {"blank in the name", "a b = c", kMissingEquals},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.name) + ": " + c.text);
    NameValue out{"untouched", "untouched"};
    EXPECT_EQ(split_name_value(c.text, out), c.fault);
    EXPECT_EQ(out.name, c.fault == kNone ? c.left : "untouched");
    EXPECT_EQ(out.value, c.fault == kNone ? c.right : "untouched");
  }
  EXPECT_EQ(describe(kNone), "");
  EXPECT_EQ(describe(kMissingName), "missing attribute name");
  EXPECT_EQ(describe(kMissingEquals), "missing '=' after attribute name");
}

TEST(Text, JsonQuote) {
  struct Case {
    const char* name;
    std::string text;
    std::string expected;
  };
  const std::string kBad = "\xEF\xBF\xBD";
  const Case cases[] = {
      {"empty", "", R"("")"},
      {"plain", "a b", R"("a b")"},
      {"quote and backslash", R"(a"b\c)", R"("a\"b\\c")"},
      {"solidus", "a/b", R"("a/b")"},
      {"named controls", "\b\f\n\r\t", R"("\b\f\n\r\t")"},
      {"NUL", std::string(1, '\0'), R"("\u0000")"},
      {"other control", "\x1F", R"("\u001F")"},
      {"two bytes", "\xC3\xBC", "\"\xC3\xBC\""},
      {"three bytes", "\xE2\x82\xAC", "\"\xE2\x82\xAC\""},
      {"four bytes", "\xF0\x9F\x98\x80", "\"\xF0\x9F\x98\x80\""},
      {"lone continuation byte", "a\x80z", "\"a" + kBad + "z\""},
      {"truncated at the end", "\xC3", "\"" + kBad + "\""},
      {"truncated before ASCII", "\xC3z", "\"" + kBad + "z\""},
      {"overlong slash", "\xC0\xAF", "\"" + kBad + kBad + "\""},
      {"overlong, three bytes", "\xE0\x80\xAF", "\"" + kBad + kBad + kBad + "\""},
      {"surrogate", "\xED\xA0\x80", "\"" + kBad + kBad + kBad + "\""},
      {"beyond U+10FFFF", "\xF4\x90\x80\x80", "\"" + kBad + kBad + kBad + kBad + "\""},
      {"never valid", "\xFF\xFE", "\"" + kBad + kBad + "\""},
  };
  for (const Case& c : cases) EXPECT_EQ(json_quote(c.text), c.expected) << c.name;
}

TEST(Text, Printable) {
  EXPECT_EQ(printable("a b~"), "a b~");
  EXPECT_EQ(printable(std::string("a\n\t\x7F\xC3\xBC\0z", 8)),
            "a?????"
            "?z");
  EXPECT_EQ(printable("a\n\xC3\xBC", '_'), "a___");
  EXPECT_EQ(printable_utf8("a\n\xC3\xBC\xFF"), "a?\xC3\xBC?");
  EXPECT_EQ(printable_utf8("a\n\xC3\xBC\xFF", '_'), "a_\xC3\xBC_");
}

TEST(Text, Fold) {
  struct Case {
    const char* name;
    const char* head;
    const char* text;
    std::size_t width;
    const char* expected;
  };
  const Case cases[] = {
      {"empty", "", "", 10, ""},
      {"head only", "a =", "", 10, "a ="},
      {"fits", "a =", "b c", 10, "a = b c"},
      {"fits exactly", "a =", "bcd ef", 10, "a = bcd ef"},
      {"one too many", "a =", "bcd efg", 10, "a = bcd\n    efg"},
      {"blanks collapse", "a =", " b \t c ", 10, "a = b c"},
      {"long word alone", "", "abcdefghijklmno", 10, "abcdefghijklmno"},
      {"long word behind the head", "a =", "abcdefghijklmno b", 10, "a =\n    abcdefghijklmno\n    b"},
      {"no head", "", "aaaa bbbb cccc", 9, "aaaa bbbb\n    cccc"},
  };
  for (const Case& c : cases) EXPECT_EQ(fold(c.head, c.text, c.width), c.expected) << c.name;
  EXPECT_EQ(fold("", "aa bb", 4, 2), "aa\n  bb");
}

Strings words_of(std::string_view text) {
  Strings out;
  while (const auto word = next_word(text, kBlanks)) out.emplace_back(*word);
  return out;
}

TEST(TextProperty, FoldKeepsWordsAndWidth) {
  std::mt19937 random(4);
  for (int round = 0; round < 4000; ++round) {
    std::string text;
    const std::size_t size = random() % 120;
    for (std::size_t i = 0; i < size; ++i) text += "abc,{}$ \t\n "[random() % 11];
    const std::string head = random() % 2 == 0 ? "" : "name =";
    const std::size_t width = 6 + random() % 40;
    const std::size_t indent = random() % 6;
    const std::string folded = fold(head, text, width, indent);
    SCOPED_TRACE(testing::PrintToString(text) + " at " + std::to_string(width));
    ASSERT_EQ(words_of(folded), words_of(head + " " + text));
    std::string_view rest = folded;
    bool is_first = true;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      if (!is_first) {
        ASSERT_TRUE(line.starts_with(std::string(indent, ' ')));
      }
      // Only a word of its own may stick out.
      ASSERT_TRUE(line.size() <= width || words_of(line).size() == 1) << line;
      is_first = false;
    }
    ASSERT_TRUE(folded.empty() || folded.back() != '\n');
  }
}

TEST(TextProperty, BracedWordsLoseNothing) {
  std::mt19937 random(5);
  for (int round = 0; round < 4000; ++round) {
    std::string text;
    const std::size_t size = random() % 40;
    for (std::size_t i = 0; i < size; ++i) text += "ab{} {}\t,"[random() % 9];
    std::string joined;
    std::string_view rest = text;
    while (const auto word = next_braced_word(rest, kBlanks)) joined += *word;
    const auto without_blanks = [](std::string s) {
      std::erase_if(s, [](char c) { return kBlanks.find(c) != std::string_view::npos; });
      return s;
    };
    ASSERT_EQ(without_blanks(joined), without_blanks(text));
  }
}

}  // namespace
}  // namespace libconf
