#include "tools/postlint/baseline.h"

#include <gtest/gtest.h>

#include "libconf/text.h"

namespace postlint {
namespace {

Finding finding(std::string fingerprint, int line = 1) {
  return {
      .rule = "dup-param", .place = {.file = "main.cf", .line = line}, .fingerprint = std::move(fingerprint)};
}

constexpr std::string_view kOne = "0123456789abcdef";
constexpr std::string_view kOther = "fedcba9876543210";

TEST(BaselineTest, KnownFindingsAreTakenOnceEach) {
  auto baseline = Baseline::parse(libconf::concat("# comment\n\n", kOne, "\tdup-param\tmain.cf\n"), "b");
  ASSERT_TRUE(baseline);
  std::vector<Finding> findings = {finding(std::string(kOne)), finding(std::string(kOne), 2),
                                   finding(std::string(kOther))};
  EXPECT_EQ(baseline->take_known(findings), 1U);
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].place.line, 2);
  EXPECT_EQ(baseline->gone(), 0U);
}

TEST(BaselineTest, ItShrinksAndNeverGrows) {
  auto baseline = Baseline::parse(
      libconf::concat(kOne, "\tdup-param\tmain.cf\n", kOther, "\topen-relay\tmain.cf\n"), "b");
  ASSERT_TRUE(baseline);
  std::vector<Finding> findings = {finding(std::string(kOne)), finding("1111111111111111")};
  EXPECT_EQ(baseline->take_known(findings), 1U);
  EXPECT_EQ(baseline->gone(), 1U);
  const std::string shrunk = baseline->shrunk();
  EXPECT_NE(shrunk.find(kOne), std::string::npos);
  EXPECT_EQ(shrunk.find(kOther), std::string::npos);
  EXPECT_EQ(shrunk.find("1111111111111111"), std::string::npos);
}

TEST(BaselineTest, WhatIsWrittenIsReadBack) {
  std::vector<Finding> findings = {finding(std::string(kOther)), finding(std::string(kOne))};
  auto baseline = Baseline::parse(Baseline::text_of(findings), "b");
  ASSERT_TRUE(baseline);
  EXPECT_EQ(baseline->take_known(findings), 2U);
}

TEST(BaselineTest, OtherTextIsAnError) {
  for (const std::string_view text : {"x\n", "0123456789abcde\trule\n", "0123456789ABCDEF\trule\n"}) {
    const auto baseline = Baseline::parse(text, "b");
    ASSERT_FALSE(baseline) << text;
    EXPECT_EQ(baseline.error().message, "b, line 1: no fingerprint");
  }
}

}  // namespace
}  // namespace postlint
