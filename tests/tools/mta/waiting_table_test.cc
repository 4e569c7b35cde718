#include "tools/mta/daemon/waiting_table.h"

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>

#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/table_fixture.h"

namespace {

using postkit_test::outcome;
using postkit_test::TableFixture;

std::string lookup(TableFixture& fixture, const std::string& spec, const std::string& key) {
  const auto table = mta::open_table(spec, fixture.context);
  return table ? outcome((*table)->lookup(key)) : "not opened: " + table.error().message;
}

TEST(WaitingTable, AnswersAsTheTableDoes) {
  TableFixture fixture;
  EXPECT_EQ(lookup(fixture, "static:x", "key"), "x");
  EXPECT_EQ(lookup(fixture, "unix:passwd.byname", "no such user"), "(none)");
  EXPECT_TRUE(lookup(fixture, "unix:passwd.byname", "root").starts_with("root:"));
  EXPECT_EQ(lookup(fixture, "unionmap:{unix:passwd.byname,static:x}", "no such user"), "x");
  EXPECT_EQ(lookup(fixture, "pipemap:{inline:{a=root},unix:passwd.byname}", "a"),
            lookup(fixture, "unix:passwd.byname", "root"));
}

TEST(WaitingTable, KeepsItsNameAndItsErrors) {
  TableFixture fixture;
  EXPECT_EQ((*mta::open_table("unix:passwd.byname", fixture.context))->name(), "unix:passwd.byname");
  EXPECT_EQ(lookup(fixture, "nosuch", "key").substr(0, 11), "not opened:");
}

// A server starts without a table that cannot be opened; what needs it fails, until it is there.
TEST(WaitingTable, TriesAgainWhatIsMissing) {
  TableFixture fixture;
  for (const std::string spec : {"nosuch:x", "unix:nosuch.byname"}) {
    const auto table = mta::open_table(spec, fixture.context);
    ASSERT_TRUE(table) << spec;
    const auto value = (*table)->lookup("key");
    ASSERT_FALSE(value) << spec;
    EXPECT_EQ(value.error().kind, libconf::ErrorKind::kConfiguration);
  }
  const postkit_test::TempDirectory directory;
  const std::string file = directory.path() + "/table";
  const auto table = mta::open_table("cidr:" + file, fixture.context);
  ASSERT_TRUE(table);
  EXPECT_FALSE((*table)->lookup("192.0.2.1"));
  std::ofstream(file) << "192.0.2.0/24 OK\n";
  EXPECT_EQ(outcome((*table)->lookup("192.0.2.1")), "OK");
}

// Nobody serves it: at the start this must not matter, as the service may be in the same process.
TEST(WaitingTable, AsksProxymapAtTheFirstLookup) {
  TableFixture fixture("queue_directory = /nonexistent\nipc_timeout = 1s\n");
  for (const std::string spec : {"proxy:static:x", "unionmap:{static:y,proxy:static:x}"}) {
    const auto table = mta::open_table(spec, fixture.context);
    ASSERT_TRUE(table) << spec;
    EXPECT_EQ((*table)->name(), spec);
    const auto value = (*table)->lookup("key");
    ASSERT_FALSE(value) << spec;
  }
}

}  // namespace
