#include <gtest/gtest.h>

#include <filesystem>

#include "libconf/text.h"
#include "libmaps/open.h"
#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/scripted_server.h"
#include "tests/libmaps/table_fixture.h"

#ifdef POSTKIT_TEST_MONGODB

namespace libmaps {
namespace {

using libconf::concat;
using postkit_test::outcome;
using postkit_test::ScriptedServer;
using postkit_test::TableFixture;
using postkit_test::TempDirectory;

constexpr std::string_view kQuick = "/?connectTimeoutMS=200&serverSelectionTimeoutMS=400&socketTimeoutMS=200";

/// Asks for a key, of a table with these settings. The protocol itself has tests/integration/mongodb_test.py.
class MongodbModule : public testing::Test {
 protected:
  Result<std::unique_ptr<Table>> make(const std::string& settings) {
    std::filesystem::remove(directory_.path("m.cf"));
    directory_.write("m.cf", settings);
    std::filesystem::permissions(directory_.path("m.cf"), std::filesystem::perms::owner_read);
    return open(concat("mongodb:", directory_.path("m.cf")), fixture_.context);
  }

  static std::string settings(std::string_view server) {
    return concat("uri = mongodb://", server,
                  "\ndbname = d\ncollection = c\nquery_filter = {\"a\": \"%s\"}\n");
  }

  TempDirectory directory_;
  TableFixture fixture_;
};

TEST_F(MongodbModule, RefusesSettings) {
  const std::string good = settings("127.0.0.1:1");
  const std::pair<std::string, std::string_view> cases[] = {
      {"", "FILE: bad string length 0 < 1: uri = "},
      {good + "dbname =\n", "FILE: bad string length 0 < 1: dbname = "},
      {good + "collection =\n", "FILE: bad string length 0 < 1: collection = "},
      {good + "query_filter =\n", "FILE: bad string length 0 < 1: query_filter = "},
      {good + "query_filter = {\"a\": %s}\n",
       "mongodb:FILE: query_filter has %s outside of a JSON string: {\"a\": %s}"},
      {good + "query_filter = {\"a\": \"%x\"}\n",
       "db_common_parse: FILE: Invalid query template: {\"a\": \"%x\"}"},
      {good + "projection = {\"a\": 1}\nresult_attribute = a\n",
       "mongodb:FILE: projection and result_attribute cannot be used together"},
      {good + "result_format = %x\n", "db_common_parse: FILE: Invalid result template: %x"},
      {good + "expansion_limit = x\n", "FILE: bad numerical configuration: expansion_limit = x"},
      {good + "uri = mongodb://u:secret@[::1\n", "mongodb:FILE: bad uri"},
      {good + "uri = mongodb+srv://u:secret@x\n", "mongodb:FILE: bad uri"},
  };
  for (const auto& [text, message] : cases) {
    const auto table = make(text);
    ASSERT_FALSE(table) << text;
    std::string expected(message);
    expected.replace(expected.find("FILE"), 4, directory_.path("m.cf"));
    EXPECT_EQ(table.error().message, expected) << text;
    EXPECT_EQ(table.error().kind, ErrorKind::kConfiguration) << text;
  }
}

TEST_F(MongodbModule, ReportsThatNobodyListens) {
  const auto table = make(settings(concat("u:secret@127.0.0.1:1,127.0.0.1:2", kQuick)));
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_TRUE(fixture_.warned().empty());
  EXPECT_EQ(outcome((*table)->lookup("joe")), "error: Application error");
  const auto warned = fixture_.warned();
  ASSERT_EQ(warned.size(), 1u);
  EXPECT_TRUE(warned[0].starts_with(concat("table \"mongodb:", directory_.path("m.cf"),
                                           "\": query to MongoDB server 127.0.0.1:1,127.0.0.1:2 failed: ")))
      << warned[0];
}

TEST_F(MongodbModule, GivesUpOnASilentServer) {
  ScriptedServer server('\xff', [](const std::string&) { return ScriptedServer::Answer{}; });
  const auto table = make(settings(concat("127.0.0.1:", server.port(), kQuick)));
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(outcome((*table)->lookup("joe")), "error: Application error");
  EXPECT_EQ(fixture_.warned().size(), 1u);
  EXPECT_FALSE(server.log().empty());
}

TEST_F(MongodbModule, AsksNobodyForWhatCannotBeThere) {
  const auto table = make(settings("127.0.0.1:1") + "domain = a.example\n");
  ASSERT_TRUE(table) << table.error().message;
  for (const char* key : {"joe", "joe@b.example", "@a.example", "joe\xff@a.example"})
    EXPECT_EQ(outcome((*table)->lookup(key)), "(none)") << key;
  EXPECT_TRUE(fixture_.warned().empty());
}

}  // namespace
}  // namespace libmaps

#endif  // POSTKIT_TEST_MONGODB
