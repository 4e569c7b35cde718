// How text is divided and what is encoded: as the smtp of Postfix 3.7 does it.
#include "tools/mta/content/quoted_printable.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mta {
namespace {

std::vector<std::string> encode(std::string_view text) {
  std::vector<std::string> lines;
  QuotedPrintableLine line;
  for (const char c : text) {
    if (line.is_full()) {
      line.divide();
      lines.emplace_back(line.text());
      line.clear();
    }
    line.add(c);
  }
  line.end();
  lines.emplace_back(line.text());
  return lines;
}

using Lines = std::vector<std::string>;

TEST(QuotedPrintable, EncodesWhatIsNotPlain) {
  EXPECT_EQ(encode("gr\xC3\xBC = x"), Lines{"gr=C3=BC =3D x"});
  EXPECT_EQ(encode("a\tb\x01\x7F\r"), Lines{"a\tb=01=7F=0D"});
  EXPECT_EQ(encode(std::string_view("\0", 1)), Lines{"=00"});
  EXPECT_EQ(encode(""), Lines{""});
}

TEST(QuotedPrintable, KeepsTheLastBlankOfALine) {
  EXPECT_EQ(encode("a  "), Lines{"a =20"});
  EXPECT_EQ(encode("a\t"), Lines{"a=09"});
  EXPECT_EQ(encode(" "), Lines{"=20"});
}

TEST(QuotedPrintable, DividesAfter73Characters) {
  const std::string full(73, 'y');
  EXPECT_EQ(encode(full), Lines{full});
  EXPECT_EQ(encode(full + "z"), (Lines{full + "=", "z"}));
  EXPECT_EQ(encode(full + " "), (Lines{full + "=", "=20"}));
  EXPECT_EQ(encode(full.substr(1) + " "), (Lines{full.substr(1) + "=20"}));
  EXPECT_EQ(encode(full.substr(1) + "\xC3"), (Lines{full.substr(1) + "=C3"}));
  EXPECT_EQ(encode(full + "\xC3"), (Lines{full + "=", "=C3"}));
}

}  // namespace
}  // namespace mta
