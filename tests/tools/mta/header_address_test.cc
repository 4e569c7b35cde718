// Expected values are those of a stock Postfix: what its cleanup makes of a header.
#include "tools/mta/address/header_address.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/tools/mta/address_settings.h"

namespace mta {
namespace {

using Strings = std::vector<std::string>;

/// The value with @o.example appended to what has no domain; unchanged when nothing is.
std::string rewritten(std::string_view value, std::size_t limit = kUnlimitedTokens) {
  static const AddressRewriting rewriting = AddressSettings({}).rewriting();
  const auto result = rewrite_header_addresses("To", value, limit, [](std::string_view address) {
    return libconf::Result<std::string>(rewriting.rewrite(RewriteContext::kLocal, address));
  });
  return result->value_or(std::string(value));
}

struct Case {
  const char* value;
  const char* expected;
};

TEST(HeaderAddress, KeepsWhatDoesNotChange) {
  for (const char* value : {"a@b.c", "Joe   Doe   <a@b.c>", "a@b.c,d@e.f", "(x)a@b.c(y)", "a(x)@(y)b.c",
                            "g:;,a@b.c", "a . b @ c . d", "<a b@c>", ", ,a@b.c, ,", "a@b.c,\n d@e.f", "",
                            "\"x\n y\" <a@b.c>", "Joe <>", "undisclosed-recipients:;", "a@"})
    EXPECT_EQ(rewritten(value), value);
}

TEST(HeaderAddress, FindsAddresses) {
  const Case cases[] = {
      {"a", "a@o.example"},
      {"<a>", "<a@o.example>"},
      {"Joe   Doe   <a>", "Joe Doe <a@o.example>"},
      {"\"Joe \\\"X\\\" Doe\" <a>", "\"Joe \\\"X\\\" Doe\" <a@o.example>"},
      {"Joe. Q. Public <a>", "Joe.Q.Public <a@o.example>"},
      {"J\\@D <a>", "\"J@D\" <a@o.example>"},
      {"a, b,c", "a@o.example, b@o.example, c@o.example"},
      {"\"a b\"", "\"a b\"@o.example"},
      {"z,\"a\"@b.c", "z@o.example, a@b.c"},
      {"<\"a b\">", "<\"a b\"@o.example>"},
      {"a\\!b", "a!b@o.example"},
      {"Joe <@h1,@h2:a@b>", "Joe <a@b>"},
      {"<>, a", "<>, a@o.example"},
      {"@", "\"\""},
  };
  for (const Case& c : cases) EXPECT_EQ(rewritten(c.value), c.expected) << c.value;
}

TEST(HeaderAddress, MovesCommentsBehindAddresses) {
  const Case cases[] = {
      {"a (comment)", "a@o.example (comment)"},
      {"(comment) a", "a@o.example (comment)"},
      {"a (c (nested) d) , b", "a@o.example (c (nested) d), b@o.example"},
      {"a(x)@(y)b.c, z", "a@b.c (x) (y), z@o.example"},
      {"<a> (c)", "<a@o.example>(c)"},
      {"(c) <a>", "(c) <a@o.example>"},
      {"<(x)a>", "<a@o.example (x)>"},
      {"(a\\)b) c", "c@o.example (a\\)b)"},
      {"a(b", "a@o.example (b"},
      {"z, (c) (d)", "z@o.example, (c) (d)"},
  };
  for (const Case& c : cases) EXPECT_EQ(rewritten(c.value), c.expected) << c.value;
}

TEST(HeaderAddress, ReadsGroups) {
  const Case cases[] = {
      {"group: a, b;", "group: a@o.example, b@o.example;"},
      {"g:a;,c", "g: a@o.example;, c@o.example"},
      {"(x)g:a;(z)", "(x) g: a@o.example;(z)"},
      {"z,g:;", "z@o.example, g: ;"},
      {"g:a", "\"g:a\"@o.example"},
      {"g:a;h:b;", "g:a;h: b@o.example;"},
      {"g:a;,h:b;", "g: a@o.example;, h: b@o.example;"},
      {"a;b", "a@o.example;, b@o.example"},
  };
  for (const Case& c : cases) EXPECT_EQ(rewritten(c.value), c.expected) << c.value;
}

TEST(HeaderAddress, TakesBrokenInput) {
  const Case cases[] = {
      {"a b c", "a@o.example, b@o.example, c@o.example"},
      {"a b <c> d", "a b <c@o.example>, d@o.example"},
      {"<a", "\"<a\"@o.example"},
      {"Joe <a, b", "\"Joe <a\"@o.example, b@o.example"},
      {"a>,b", "a@o.example>, b@o.example"},
      {"<<a>>", "< <\"a>\"@o.example>"},
      {"<a,b>", "<\"a, b\"@o.example>"},
      {"<a><b>", "<a@o.example> <b@o.example>"},
      {"a)b", "\"a)b\"@o.example"},
      {"\"unterminated", "unterminated@o.example"},
      {"a\\", "a@o.example"},
      {"z,[", "z@o.example, \"[]\"@o.example"},
      {"a:<b>", "a@o.example: <b@o.example>"},
      {"z,", "z@o.example, "},
  };
  for (const Case& c : cases) EXPECT_EQ(rewritten(c.value), c.expected) << c.value;
}

TEST(HeaderAddress, FoldsLines) {
  const auto repeated = [](std::size_t count) { return std::string(count, 'x') + "@y"; };
  // With "To: ", 69 characters are a full line.
  EXPECT_EQ(rewritten("a, " + repeated(50)), "a@o.example, " + repeated(50));
  EXPECT_EQ(rewritten("a, " + repeated(51)), "a@o.example,\n\t" + repeated(51));
  EXPECT_EQ(rewritten("a\n (x), b"), "a@o.example (x), b@o.example");
  EXPECT_EQ(rewritten("(x\n y) a"), "a@o.example (x  y)");
  EXPECT_EQ(rewritten("(" + std::string(80, 'x') + "\n y) a"),
            "a@o.example (" + std::string(80, 'x') + "\n y)");
}

TEST(HeaderAddress, StopsAtTheLimitOfTokens) {
  EXPECT_EQ(rewritten("a b c d e f", 5), "a@o.example, b@o.example, c@o.example, d@o.example, e@o.example");
  EXPECT_EQ(rewritten("g:a,b,c;", 5), "\"g:a\"@o.example, b@o.example");
  EXPECT_EQ(rewritten("a@b.c, d", 5), "a@b.c, d");
}

TEST(HeaderAddress, ListsAddresses) {
  EXPECT_EQ(header_addresses("Joe <joe@a>, g: \"b c\"@d (x), <@r:e>; f", kUnlimitedTokens),
            (Strings{"joe@a", "\"b c\"@d", "@r:e", "f"}));
  EXPECT_EQ(header_addresses("<>, (x), ,", kUnlimitedTokens), Strings{});
}

TEST(HeaderAddress, ReturnsTheErrorOfTheCallback) {
  const auto result = rewrite_header_addresses("To", "a", kUnlimitedTokens, [](std::string_view) {
    return libconf::Result<std::string>(
        libconf::Error{.kind = libconf::ErrorKind::kTemporary, .message = "away"});
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, libconf::ErrorKind::kTemporary);
}

}  // namespace
}  // namespace mta
