#include "libmaps/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace libmaps {
namespace {

TEST(IsUtf8, AcceptsWellFormedText) {
  for (const std::string_view text :
       {"", "plain", "exactly8", "j\xc3\xb6rg", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf",
        "\xee\x80\x80", "\xf4\x8f\xbf\xbf", "a long text of ASCII and then \xc3\xa9 and ASCII again"})
    EXPECT_TRUE(is_utf8(text)) << text;
}

TEST(IsUtf8, RefusesEverythingElse) {
  struct Case {
    const char* name;
    std::string_view text;
  };
  const Case cases[] = {{"Latin-1", "caf\xe9"},
                        {"lone continuation", "\x80"},
                        {"cut short", "\xe2\x82"},
                        {"overlong, 2 bytes", "\xc0\xaf"},
                        {"overlong, 3 bytes", "\xe0\x9f\xbf"},
                        {"overlong, 4 bytes", "\xf0\x8f\xbf\xbf"},
                        {"surrogate", "\xed\xa0\x80"},
                        {"above U+10FFFF", "\xf4\x90\x80\x80"},
                        {"no first byte", "\xf5\x80\x80\x80"},
                        {"behind ASCII", "12345678\xff"},
                        {"last of many", "123456789012345\xc3"}};
  for (const Case& c : cases) EXPECT_FALSE(is_utf8(c.text)) << c.name;
}

TEST(Fold, FoldsAsciiAlone) {
  EXPECT_EQ(fold_ascii("ANN@Example.COM [_`{"), "ann@example.com [_`{");
  EXPECT_EQ(fold_ascii("J\xc3\x96RG"), "j\xc3\x96rg");
}

// Unicode CaseFolding.txt, C and F.
TEST(Fold, FoldsUnicode) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"ANN", "ann"},
      {"J\xc3\x96RG", "j\xc3\xb6rg"},  // U+00D6
      {"stra\xc3\x9f"
       "e",
       "strasse"},                               // U+00DF, full folding
      {"\xce\xa3\xcf\x82", "\xcf\x83\xcf\x83"},  // U+03A3, U+03C2: both sigmas
      {"\xc4\xb0", "i\xcc\x87"},                 // U+0130
      {"\xd0\x90", "\xd0\xb0"},                  // U+0410
      {"\xf0\x90\x90\x80", "\xf0\x90\x90\xa8"},  // U+10400
  };
  for (const auto& [text, folded] : cases) EXPECT_EQ(fold_unicode(text), folded) << text;
}

TEST(Fold, KnowsWhatIsFolded) {
  EXPECT_TRUE(is_folded_ascii("ann@example.com"));
  EXPECT_FALSE(is_folded_ascii("Ann"));
  EXPECT_FALSE(is_folded_ascii("j\xc3\xb6rg"));
}

TEST(Fold, TakesATextOfNothing) {
  EXPECT_TRUE(is_folded_ascii({}));
  EXPECT_TRUE(is_utf8({}));
  EXPECT_EQ(fold_unicode({}), "");
}

// Every byte at every place of the words that are looked at.
TEST(Fold, KnowsEachByteWhereverItStands) {
  for (std::size_t size = 1; size <= 20; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, 'z');
        text[place] = static_cast<char>(byte);
        ASSERT_EQ(is_folded_ascii(text), byte < 0x80 && !(byte >= 'A' && byte <= 'Z'))
            << byte << " at " << place;
        ASSERT_EQ(is_utf8(text), byte < 0x80) << byte << " at " << place;
      }
    }
  }
}

}  // namespace
}  // namespace libmaps
