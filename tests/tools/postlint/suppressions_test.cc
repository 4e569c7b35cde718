#include "tools/postlint/suppressions.h"

#include <gtest/gtest.h>

namespace postlint {
namespace {

TEST(IgnoreCommentsTest, CountForTheLineBehindThem) {
  const auto comments = ignore_comments(
      "a = 1\n"
      "# postlint: ignore=x,y because of this\n"
      "\n"
      "b = 1,\n"
      "# between\n"
      "  2\n"
      "c = 3\n");
  ASSERT_EQ(comments.size(), 1U);
  EXPECT_EQ(comments[0].rules, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(comments[0].reason, "because of this");
  EXPECT_EQ(comments[0].line, 2);
  EXPECT_EQ(comments[0].first, 4);
  EXPECT_EQ(comments[0].last, 6);
}

TEST(IgnoreCommentsTest, InsideALineTheyCountForTheNextPart) {
  const auto comments = ignore_comments("a = 1,\n  # postlint: ignore=x why\n  2,\n  3\n");
  ASSERT_EQ(comments.size(), 1U);
  EXPECT_EQ(comments[0].first, 3);
  EXPECT_EQ(comments[0].last, 3);
}

TEST(IgnoreCommentsTest, SeveralBeforeOneLine) {
  const auto comments = ignore_comments("#postlint: ignore=x a\n## postlint:ignore=y b\nc = 1\n");
  ASSERT_EQ(comments.size(), 2U);
  EXPECT_EQ(comments[0].first, 3);
  EXPECT_EQ(comments[1].first, 3);
}

TEST(IgnoreCommentsTest, OthersAreComments) {
  EXPECT_TRUE(
      ignore_comments("# see postlint: ignore=x\na = postlint: ignore=x\n# postlint: explain\n").empty());
}

TEST(IgnoreCommentsTest, ForAWholeFileAndAtItsEnd) {
  const auto comments =
      ignore_comments("# postlint: ignore-file=x all of it\na = 1\n# postlint: ignore=y nothing follows\n");
  ASSERT_EQ(comments.size(), 2U);
  EXPECT_TRUE(comments[0].is_for_file);
  EXPECT_FALSE(comments[1].is_for_file);
  EXPECT_EQ(comments[1].first, 0);
}

}  // namespace
}  // namespace postlint
