#include "tools/mta/daemon/waiting_table.h"

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>

#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/table_fixture.h"
#include "tools/mta/daemon/table_observer.h"

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

class LookupRecord final : public mta::TableObserver {
 public:
  std::string open_as(std::string_view table) override {
    return table == "hash:/no/such/index" ? "static:instead" : std::string(table);
  }
  void looked_up(std::string_view table, std::string_view key,
                 const libconf::Result<std::optional<std::string>>& value) override {
    lines.push_back(libconf::concat(table, " ", key, " ", outcome(value)));
  }
  std::vector<std::string> lines;
};

TEST(WaitingTable, TellsAnObserverOfLookups) {
  TableFixture fixture("maps = inline:{a=x}, static:y\n");
  LookupRecord record;
  std::vector<std::unique_ptr<libmaps::Table>> tables;
  {
    const mta::TableObservation observation(record);
    tables = std::move(*mta::open_tables("maps", fixture.context));
    const auto proxied = mta::open_table("proxy:inline:{b=z}", fixture.context);
    EXPECT_EQ(outcome((*proxied)->lookup("b")), "z");
    EXPECT_EQ(outcome((*mta::open_table("hash:/no/such/index", fixture.context))->lookup("k")), "instead");
  }
  // Those that are open tell on; others do not.
  EXPECT_EQ(lookup(fixture, "static:z", "key"), "z");
  EXPECT_EQ(outcome(tables[0]->lookup("a")), "x");
  EXPECT_EQ(outcome(tables[0]->lookup("b")), "(none)");
  EXPECT_EQ(outcome(tables[1]->lookup("b")), "y");
  EXPECT_EQ(record.lines,
            (std::vector<std::string>{"proxy:inline:{b=z} b z", "hash:/no/such/index k instead",
                                      "inline:{a=x} a x", "inline:{a=x} b (none)", "static:y b y"}));
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
