#include "tools/mta/smtp/path.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

/// The address, or "(bad)".
std::string parsed(std::string_view text, const PathOptions& options = {}) {
  return parse_path(text, options).value_or("(bad)");
}

// As Postfix 3.7 answers to RCPT; integration.smtp_replies_test has more.
TEST(Path, ReadsWhatPostfixReads) {
  const struct {
    std::string text;
    std::string expected;
    std::string strict;
  } kCases[] = {
      {"<a@b.example>", "a@b.example", "a@b.example"},
      {"a@b.example", "a@b.example", "(bad)"},
      {"<>", "", ""},
      {"<\"a b\"@c>", "a b@c", "a b@c"},
      {"<\"a\\\"b\"@c>", "a\"b@c", "a\"b@c"},
      {"<a\\ b@c>", "a b@c", "a b@c"},
      {"<a\\>", "a", "a"},
      {"<\xc3\xa4@b>", "\xc3\xa4@b", "\xc3\xa4@b"},
      {"<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]"},
      {"<a@[1.2.3.4>", "a@[1.2.3.4]", "a@[1.2.3.4]"},
      {"<a@[1.2\\.3.4]>", "a@[1.2.3.4]", "a@[1.2.3.4]"},
      {"< a @ b . c >", "a@b.c", "a@b.c"},
      {"<@x:a@b>", "a@b", "a@b"},
      {"<@x,@y:a@b>", "a@b", "a@b"},
      {"<@x:@y:a@b>", "@y:a@b", "(bad)"},
      {"<@x>", "@x", "(bad)"},
      {"<\"\"@b>", "@b", "(bad)"},
      {"<a b@c>", "(bad)", "(bad)"},
      {"<a[b]@c>", "(bad)", "(bad)"},
      {"<a@b>x", "(bad)", "(bad)"},
      {"<a@b,c@d>", "(bad)", "(bad)"},
      {"<a,>", "a", "(bad)"},
      {"<John <a@b>>", "a@b", "(bad)"},
      {"<<a@b>>", "a@b", "a@b"},
      {"<<a b>>", "ab", "ab"},
      {"<x,y <a@b>>", "(bad)", "(bad)"},
      {"<a(c)@b>", "a@b", "(bad)"},
      {"<a@b(c (d) \\) e>", "a@b", "(bad)"},
      {"<g:a@b;>", "a@b", "(bad)"},
      {"<g:a@b,c@d;>", "(bad)", "(bad)"},
      {"<]>x:;)[1.2.3.4]", ")[1.2.3.4]", "(bad)"},
      {"<a:b@c>", "a:b@c", "a:b@c"},
      {"<a: <a@b>>", "(bad)", "(bad)"},
      {"<-a@b>", "(bad)", "(bad)"},
      {"<\"-a\"@b>", "(bad)", "(bad)"},
      {"", "", "(bad)"},
  };
  for (const auto& test_case : kCases) {
    EXPECT_EQ(parsed(test_case.text), test_case.expected) << test_case.text;
    EXPECT_EQ(parsed(test_case.text, {.is_strict = true}), test_case.strict) << test_case.text << ", strict";
  }
}

// allow_min_user in postconf(5)
TEST(Path, MayStartWithAHyphenIfAllowed) {
  EXPECT_EQ(parsed("<-a@b>", {.allows_leading_hyphen = true}), "-a@b");
}

TEST(Domain, IsANameOrALiteral) {
  const struct {
    std::string address;
    bool is_valid;
  } kCases[] = {
      {"a", true},
      {"", true},
      {"a@b", true},
      {"a@b.example.", true},
      {"a@b_c", true},
      {"a@b.1", true},
      {"a@", false},
      {"@", false},
      {"a@b..c", false},
      {"a@.b", false},
      {"a@.", false},
      {"a@-b", false},
      {"a@b-.c", false},
      {"a@b*c", false},
      {"a@1.2.3.4", false},
      {"a@1234", false},
      {"a@[1.2.3.4]", true},
      {"a@[1.2.3]", false},
      {"a@[]", false},
      {"a@[::1]", false},
      {"a@[IPv6:::1]", true},
      {"a@[ipv6:::1]", true},
      {"a@[IPv6:1.2.3.4]", false},
      {"a@b@c", true},
      {"a@@b", true},
      {"a@b@", true},
      {"a@@", false},
      {"@x:a@b", true},
      {"@x:a@b..c", false},
      {"a@b\xc3\xbc"
       "cher.example",
       false},
  };
  for (const auto& test_case : kCases) {
    EXPECT_EQ(has_valid_domain(test_case.address, {}), test_case.is_valid) << test_case.address;
  }
  EXPECT_TRUE(
      has_valid_domain("a@b\xc3\xbc"
                       "cher.example",
                       {.is_utf8 = true}));
  EXPECT_FALSE(has_valid_domain("a@\xe2\x80\xa8.example", {.is_utf8 = true}));
}

TEST(HasValidDomain, KnowsTheLimitsOfNames) {
  const std::string label(63, 'x');
  const std::string longest = label + "." + label + "." + label + "." + label;
  EXPECT_TRUE(has_valid_domain("a@" + label + ".org", {}));
  EXPECT_FALSE(has_valid_domain("a@" + label + "x.org", {}));
  EXPECT_TRUE(has_valid_domain("a@" + longest, {}));
  EXPECT_FALSE(has_valid_domain("a@" + longest + ".x", {}));
}

}  // namespace
}  // namespace mta
