#include "tools/postlint/file_map.h"

#include <gtest/gtest.h>

#include "tests/tools/postlint/scratch_site.h"

namespace postlint {
namespace {

TEST(FileMapTest, ARepositoryKnowsOnlyWhatLiesBesideMainCf) {
  const FileMap files({.config_directory = "/srv/repository/postfix"});
  EXPECT_FALSE(files.is_whole_host());
  EXPECT_EQ(files.path("/etc/postfix/virtual"), "/srv/repository/postfix/virtual");
  EXPECT_EQ(files.path("/srv/repository/postfix/virtual"), "/srv/repository/postfix/virtual");
  EXPECT_EQ(files.path("virtual"), "/srv/repository/postfix/virtual");
  EXPECT_EQ(files.path("/etc/postfix-out/virtual"), std::nullopt);
  EXPECT_EQ(files.path("/etc/aliases"), std::nullopt);
  EXPECT_EQ(files.state("/etc/passwd"), FileState::kUnknown);
}

TEST(FileMapTest, ARootIsAWholeHost) {
  const FileMap files({.root = "/srv/image/", .config_directory = "/srv/image/etc/postfix"});
  EXPECT_TRUE(files.is_whole_host());
  EXPECT_EQ(files.path("/etc/aliases"), "/srv/image/etc/aliases");
  EXPECT_EQ(files.path("/etc/postfix/virtual"), "/srv/image/etc/postfix/virtual");
  EXPECT_EQ(files.path("/srv/image/etc/postfix/virtual"), "/srv/image/etc/postfix/virtual");
  EXPECT_EQ(files.state("/etc/aliases"), FileState::kMissing);
}

TEST(FileMapTest, TellsPresentFromMissing) {
  const ScratchSite site({{"main.cf", ""}, {"virtual", ""}});
  EXPECT_EQ(site->files().state("/etc/postfix/virtual"), FileState::kPresent);
  EXPECT_EQ(site->files().state("/etc/postfix/absent"), FileState::kMissing);
  EXPECT_EQ(site->files().state("/etc/postfix/virtual/below"), FileState::kMissing);
}

}  // namespace
}  // namespace postlint
