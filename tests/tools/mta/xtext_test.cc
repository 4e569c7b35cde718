#include "tools/mta/smtp/xtext.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

// RFC 3461, section 4
TEST(Xtext, IsReadBack) {
  EXPECT_EQ(encode_xtext("a b+c=\x01\xFF~"), "a+20b+2Bc+3D+01+FF~");
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(decode_xtext(encode_xtext(all)), all);
}

TEST(Xtext, StandsForBytes) {
  EXPECT_EQ(decode_xtext(""), "");
  EXPECT_EQ(decode_xtext("a+20b+2B"), "a b+");
  EXPECT_EQ(decode_xtext("+c3+A4"), "\xc3\xa4");
  EXPECT_EQ(decode_xtext("+00"), std::string(1, '\0'));
  for (const char* const bad : {"+", "a+2", "+zz", "+-1", "+ 1", "+2+20"}) {
    EXPECT_EQ(decode_xtext(bad), std::nullopt) << bad;
  }
}

// RFC 6533, section 3
TEST(Utf8Xtext, StandsForCharacters) {
  EXPECT_EQ(decode_utf8_xtext("a+20b"), "a+20b");
  EXPECT_EQ(decode_utf8_xtext("\\x{41}\\x{e4}\\x{20AC}\\x{10FFFF}"), "A\xc3\xa4\xe2\x82\xac\xf4\x8f\xbf\xbf");
  EXPECT_EQ(decode_utf8_xtext("a\\b\\"), "a\\b\\");
  for (const char* const bad :
       {"\\x{", "\\x{41", "\\x{}", "\\x{zz}", "\\x{110000}", "\\x{d800}", "\\x{-1}"}) {
    EXPECT_EQ(decode_utf8_xtext(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace mta
