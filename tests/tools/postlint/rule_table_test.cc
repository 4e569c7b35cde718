#include "tools/postlint/rule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "tools/postlint/release_features.h"
#include "tools/postlint/version.h"

namespace postlint {
namespace {

TEST(RuleTableTest, RowsAreComplete) {
  std::set<std::string_view> ids;
  std::set<std::string_view> groups;
  for (const Rule& rule : all_rules()) {
    EXPECT_TRUE(ids.insert(rule.id).second) << rule.id << " stands twice";
    groups.insert(rule.group);
    EXPECT_EQ(rule.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), std::string_view::npos)
        << rule.id;
    EXPECT_NE(rule.check, nullptr) << rule.id;
    EXPECT_NE(rule.profiles, 0) << rule.id;
    for (const std::string_view text : {rule.summary, rule.rationale, rule.reference, rule.mend}) {
      EXPECT_GT(text.size(), 8U) << rule.id;
      EXPECT_EQ(text.find('\n'), std::string_view::npos) << rule.id;
    }
    EXPECT_FALSE(rule.mend.ends_with('.')) << rule.id;
    EXPECT_FALSE(rule.summary.ends_with('.')) << rule.id;
    EXPECT_TRUE(rule.rationale.ends_with('.')) << rule.id;
    EXPECT_EQ(find_rule(rule.id), &rule);
  }
  for (const std::string_view group : groups)
    EXPECT_EQ(ids.count(group), 0U) << group << " is a rule and a group";
  EXPECT_EQ(find_rule("no-such-rule"), nullptr);
}

TEST(RuleTableTest, RowsAreInTheOrderOfTheirGroups) {
  std::set<std::string_view> ended;
  const Rule* last = nullptr;
  for (const Rule& rule : all_rules()) {
    if (last != nullptr && last->group == rule.group) EXPECT_LT(last->id, rule.id);
    if (last != nullptr && last->group != rule.group) ended.insert(last->group);
    EXPECT_EQ(ended.count(rule.group), 0U) << rule.id;
    last = &rule;
  }
}

TEST(VersionTest, ReadsReleases) {
  EXPECT_EQ(parse_version("3.7"), (Version{3, 7, 0}));
  EXPECT_EQ(parse_version("3.7", 99), (Version{3, 7, 99}));
  EXPECT_EQ(parse_version("3.7.9", 99), (Version{3, 7, 9}));
  for (const std::string_view text : {"", "3", "3.", "x", "3.7.9.1", "3.7-rc1", "-3.7"})
    EXPECT_EQ(parse_version(text), std::nullopt) << text;
}

TEST(VersionTest, StableReleasesHaveWhatTheyWereGiven) {
  // postconf(5): "available in Postfix >= 3.9, 3.8.4, 3.7.9, 3.6.13, and 3.5.23".
  constexpr std::string_view kName = "smtpd_forbid_bare_newline_exclusions";
  struct Case {
    Version release;
    bool has;
  };
  for (const Case& c :
       {Case{{3, 9, 0}, true}, Case{{3, 8, 4}, true}, Case{{3, 8, 3}, false}, Case{{3, 7, 9}, true},
        Case{{3, 5, 22}, false}, Case{{3, 4, 99}, false}, Case{kNewestVersion, true}})
    EXPECT_EQ(has_parameter(c.release, kName), c.has) << to_string(c.release) << "." << c.release.patch;
  EXPECT_FALSE(has_parameter(kNewestVersion, "no_such_parameter"));
  EXPECT_TRUE(has_parameter({2, 0, 0}, "myhostname"));
}

}  // namespace
}  // namespace postlint
