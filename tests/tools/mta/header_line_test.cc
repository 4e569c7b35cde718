#include "tools/mta/content/header_line.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

TEST(HeaderStart, EndsWithAColon) {
  EXPECT_EQ(header_start("Subject: x").name, 7U);
  EXPECT_EQ(header_start("Subject \t: x").colon, 9U);
  EXPECT_EQ(header_start("Subject x:").name, 0U);
  EXPECT_EQ(header_start("Subject").name, 0U);
}

// What Postfix 3.7 puts into a Received: header for such names of a login.
TEST(CommentText, IsOneCommentAgain) {
  const struct {
    std::string_view name;
    std::string_view wanted;
  } cases[] = {
      {"joe", "joe"},       {"a(b", "a(b)"},        {"a)b", "a?b"},      {"((", "(())"},
      {")x)((", "?x?(())"}, {"a(b)c)d", "a(b)c?d"}, {"(a(b)", "(a(b))"}, {"a\\b\"c", "a?b\"c"},
      {"\xc3\xa4", "??"},   {"a\x01\nb", "a??b"},   {"x y", "x y"},
  };
  for (const auto& each : cases) EXPECT_EQ(comment_text(each.name), each.wanted) << each.name;
}

}  // namespace
}  // namespace mta
