#include "libconf/idna.h"

#include <gtest/gtest.h>

#include <string>

namespace libconf {
namespace {

TEST(Idna, DomainToAscii) {
  struct Case {
    const char* name;
    std::string domain;
    std::string expected;
  };
  const Case cases[] = {
      {"empty", "", ""},
      {"ASCII", "example.com", "example.com"},
      {"ASCII keeps its case", "Example.COM", "Example.COM"},
      {"ASCII that is no host name", "a b_c..", "a b_c.."},
      {"one label",
       "b\xC3\xBC"
       "cher.example",
       "xn--bcher-kva.example"},
      {"several labels",
       "b\xC3\xBC"
       "cher.m\xC3\xBCnchen.example",
       "xn--bcher-kva.xn--mnchen-3ya.example"},
      {"capitals fold",
       "B\xC3\x9C"
       "cher.example",
       "xn--bcher-kva.example"},
      {"sharp s stays itself (IDNA 2008)",
       "stra\xC3\x9F"
       "e.example",
       "xn--strae-oqa.example"},
      {"combining mark composes",
       "bu\xCC\x88"
       "cher.example",
       "xn--bcher-kva.example"},
      {"not UTF-8", "b\xFF.example", "b\xFF.example"},
      {"truncated UTF-8", "b\xC3", "b\xC3"},
      {"label too long", std::string(70, 'a') + "\xC3\xBC", std::string(70, 'a') + "\xC3\xBC"},
  };
  for (const Case& c : cases) EXPECT_EQ(domain_to_ascii(c.domain), c.expected) << c.name;
}

TEST(Idna, NothingIsLostBehindANulByte) {
  const std::string domain("\xC3\xBC\0x", 4);
  EXPECT_EQ(domain_to_ascii(domain), domain);
}

TEST(Idna, DomainToUnicode) {
  EXPECT_EQ(domain_to_unicode("mail.example.com"), "mail.example.com");
  EXPECT_EQ(domain_to_unicode("x.xn--bcher-kva.example"),
            "x.b\xC3\xBC"
            "cher.example");
  EXPECT_EQ(domain_to_unicode("xn--zzzzzz--x.example"), std::nullopt);
}

}  // namespace
}  // namespace libconf
