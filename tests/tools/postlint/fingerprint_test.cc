#include "tools/postlint/fingerprint.h"

#include <gtest/gtest.h>

#include "tests/tools/postlint/scratch_site.h"
#include "tools/postlint/audit.h"

namespace postlint {
namespace {

std::vector<std::string> fingerprints(const std::string& main_cf) {
  const ScratchSite site({{"main.cf", main_cf}});
  std::vector<std::string> out;
  for (const Finding& finding : audit(*site, {.selected = {"dup-param"}}).findings)
    out.push_back(finding.fingerprint);
  return out;
}

TEST(FingerprintTest, TheSameWhenLinesShiftOrBlanksChange) {
  const auto before = fingerprints("relayhost = a\nrelayhost = b\n");
  ASSERT_EQ(before.size(), 1U);
  EXPECT_EQ(fingerprints("# new\n\nmydomain = x.example\nrelayhost   =  a\nrelayhost = b\n"), before);
  EXPECT_NE(fingerprints("relayhost = c\nrelayhost = b\n"), before);
}

TEST(FingerprintTest, EqualLinesAreToldApart) {
  const auto found = fingerprints("relayhost = a\nrelayhost = a\nrelayhost = a\n");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NE(found[0], found[1]);
}

TEST(FingerprintTest, TheHashIsFnv) {
  // Test vectors of FNV-1a.
  EXPECT_EQ(stable_hash(""), 0xCBF29CE484222325U);
  EXPECT_EQ(stable_hash("a"), 0xAF63DC4C8601EC8CU);
  EXPECT_EQ(stable_hash("foobar"), 0x85944171F73967E8U);
}

}  // namespace
}  // namespace postlint
