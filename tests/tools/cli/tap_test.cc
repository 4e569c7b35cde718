#include "tools/cli/tap.h"

#include <gtest/gtest.h>

#include <string>

namespace cli {
namespace {

TEST(TapReport, HasAPlanAndNumbersResults) {
  std::string out;
  TapReport report(out, 2);
  report.result(true, "first", {{"actual", "not shown"}});
  report.result(false, "second", {{"expected", "a \"b\"\n"}, {"nothing", ""}, {"actual", "c"}});
  EXPECT_EQ(out,
            "TAP version 13\n"
            "1..2\n"
            "ok 1 - first\n"
            "not ok 2 - second\n"
            "  ---\n"
            "  expected: \"a \\\"b\\\"\\n\"\n"
            "  actual: \"c\"\n"
            "  ...\n");
}

TEST(TapReport, ADescriptionIsNoDirectiveAndOneLine) {
  std::string out;
  TapReport report(out, 1);
  report.result(true, "a # TODO\nnot ok 2", {});
  EXPECT_EQ(out, "TAP version 13\n1..1\nok 1 - a \\# TODO?not ok 2\n");
}

TEST(TapReport, AResultMayHaveAComment) {
  std::string out;
  TapReport report(out, 1);
  report.result(false, "first");
  report.comment("why");
  report.comment("one\n  two\n", "  ");
  EXPECT_EQ(out, "TAP version 13\n1..1\nnot ok 1 - first\n# why\n#   one\n#     two\n");
}

}  // namespace
}  // namespace cli
