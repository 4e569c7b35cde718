#include "tools/mta/delivery/content_encoder.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

std::string encode(std::size_t limit, std::initializer_list<std::pair<std::string_view, bool>> pieces) {
  ContentEncoder encoder(limit);
  std::string out;
  for (const auto& [text, ends_line] : pieces) encoder.add(out, text, ends_line);
  return out;
}

TEST(ContentEncoder, LinesEndWithCrLfAndDotsAreDoubled) {
  EXPECT_EQ(encode(998, {{"a", true}, {"", true}, {".", true}, {"..b", true}, {"c.", true}}),
            "a\r\n\r\n..\r\n...b\r\nc.\r\n");
}

TEST(ContentEncoder, ADotWithinALineOfPiecesIsNone) {
  EXPECT_EQ(encode(998, {{"a", false}, {".", true}, {".", false}, {".b", true}}), "a.\r\n...b\r\n");
  EXPECT_EQ(encode(998, {{"", false}, {".a", true}}), "..a\r\n");
}

// Where Postfix 3.7 breaks lines with smtp_line_length_limit = 12.
TEST(ContentEncoder, LongLinesAreBrokenWithABlank) {
  EXPECT_EQ(encode(12, {{"012345678901", true}}), "012345678901\r\n");
  EXPECT_EQ(encode(12, {{"0123456789012", true}}), "012345678901\r\n 2\r\n");
  EXPECT_EQ(encode(12, {{"01234567890123456789012", true}}), "012345678901\r\n 23456789012\r\n");
  EXPECT_EQ(encode(12, {{"012345678901234567890123", true}}), "012345678901\r\n 23456789012\r\n 3\r\n");
  EXPECT_EQ(encode(12, {{"..............", true}}), ".............\r\n ..\r\n");
}

TEST(ContentEncoder, PiecesMakeNoDifference) {
  EXPECT_EQ(encode(12, {{"0123456", false}, {"78901", false}, {"", true}}), "012345678901\r\n");
  EXPECT_EQ(encode(12, {{"0123456", false}, {"789012", true}}), "012345678901\r\n 2\r\n");
}

TEST(ContentEncoder, TellsWhetherALineWasBroken) {
  ContentEncoder encoder(2);
  std::string out;
  encoder.add(out, "ab", true);
  EXPECT_FALSE(encoder.has_broken());
  encoder.add(out, "abc", true);
  EXPECT_TRUE(encoder.has_broken());
}

TEST(ContentEncoder, WithoutALimitNothingIsBroken) {
  const std::string line(5000, 'x');
  EXPECT_EQ(encode(0, {{line, true}}), line + "\r\n");
}

TEST(ContentEncoder, ALimitOfOneByteComesToAnEnd) {
  EXPECT_EQ(encode(1, {{"abc", true}}), "a\r\n b\r\n c\r\n");
}

}  // namespace
}  // namespace mta
