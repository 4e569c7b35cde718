#include "libmaps/module.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "libconf/text.h"
#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/table_fixture.h"

#ifdef POSTKIT_TEST_SQLITE
#include <sqlite3.h>
#endif

namespace libmaps {
namespace {

using libconf::concat;
using postkit_test::outcome;
using postkit_test::TableFixture;
using postkit_test::TempDirectory;

TEST(Module, SaysWhereAMissingOneWasLookedFor) {
  TableFixture fixture;
  const auto table = open_module_table("nosuch", "./x.cf", fixture.context);
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().kind, ErrorKind::kUnsupported);
  std::string places;
  for (const std::string& directory : module_directories())
    places += concat(places.empty() ? "" : ", ", directory);
  EXPECT_EQ(
      table.error().message,
      "unsupported dictionary type: nosuch. Is the postkit-nosuch package installed? (libmaps-nosuch.so "
      "is not in " +
          places + ")");
}

TEST(Module, HasATypeForAName) {
  TableFixture fixture;
  for (const char* type : {"", "../evil", "a/b", "a.b"})
    EXPECT_EQ(open_module_table(type, "x", fixture.context).error().message,
              std::string("unsupported dictionary type: ") + type);
}

#ifdef POSTKIT_TEST_SQLITE

/// An SQLite database, and settings to query it.
class SqliteFixture : public testing::Test {
 protected:
  SqliteFixture() {
    sqlite3* database = nullptr;
    sqlite3_open(directory_.path("t.db").c_str(), &database);
    execute(database,
            "CREATE TABLE t(k TEXT, v TEXT); INSERT INTO t VALUES('joe','joe@one.example'),('multi','m1'),"
            "('multi','m2'),('multi','m3'),('empty',''),('null',NULL),('secret','hidden')");
    sqlite3_close(database);
    configure("query = SELECT v FROM t WHERE k='%s'");
  }

  static void execute(sqlite3* database, const char* sql) {
    ASSERT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK);
  }

  void configure(std::string_view settings) {
    directory_.write("q.cf", concat("dbpath = ", directory_.path("t.db"), "\n", settings, "\n"));
    table_.reset();
    auto table = open_module_table("sqlite", directory_.path("q.cf"), fixture_.context);
    if (table)
      table_ = std::move(*table);
    else
      error_ = table.error();
  }

  std::string lookup(std::string_view key) {
    return table_ ? outcome(table_->lookup(key)) : "fatal: " + error_.message;
  }

  TempDirectory directory_;
  TableFixture fixture_;
  std::unique_ptr<Table> table_;
  Error error_;
};

TEST_F(SqliteFixture, FindsValues) {
  EXPECT_EQ(table_->name(), "sqlite:" + directory_.path("q.cf"));
  EXPECT_EQ(lookup("joe"), "joe@one.example");
  EXPECT_EQ(lookup("multi"), "m1,m2,m3");
  EXPECT_EQ(lookup("none"), "(none)");
  EXPECT_EQ(lookup("null"), "(none)");
  EXPECT_EQ(lookup("empty"), "(none)");
}

// A query that gives its key back shows whether the key stayed a string.
TEST_F(SqliteFixture, TakesNoKeyForSql) {
  configure("query = SELECT '%s' UNION SELECT v FROM t WHERE k = '%u'");
  for (const char* key : {"'",
                          "''",
                          "'''",
                          "x' OR '1'='1",
                          "'; DROP TABLE t; --",
                          "x' UNION SELECT v FROM t WHERE k='secret",
                          "a\"b",
                          "a;b",
                          "a--b",
                          "100%",
                          "%s",
                          "%%",
                          "\\",
                          "\\'",
                          "caf\xC3\xA9",
                          "\xE4\xB8\xAD'\xE6\x96\x87",
                          "\xBF'",
                          "\xBF\\'",
                          "/*",
                          "a\nb",
                          "@'x"}) {
    EXPECT_EQ(lookup(key), key[0] == '@' ? "(none)" : key) << key;
  }
  configure("query = SELECT v FROM t WHERE k='%s'");
  EXPECT_EQ(lookup("secret"), "hidden");
}

TEST_F(SqliteFixture, ReportsAQueryThatSqliteRejects) {
  configure("query = SELEC v");
  ASSERT_TRUE(table_);
  const auto value = table_->lookup("joe");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().kind, ErrorKind::kSyntax);
  EXPECT_EQ(value.error().message, "dict_sqlite_lookup: " + directory_.path("q.cf") +
                                       ": SQL prepare failed: near \"SELEC\": syntax error?");
}

TEST_F(SqliteFixture, CannotTellWhenAQueryFails) {
  configure("query = SELECT v FROM t WHERE abs(-9223372036854775808) = '%s'");
  EXPECT_EQ(table_->lookup("joe").error().kind, ErrorKind::kTemporary);
  ASSERT_EQ(fixture_.warned().size(), 1u);
  EXPECT_TRUE(fixture_.warned()[0].ends_with("': integer overflow?")) << fixture_.warned()[0];

  configure("expansion_limit = 2\nquery = SELECT v FROM t WHERE k='%s'");
  EXPECT_EQ(lookup("multi"), "error: No such file or directory");
  EXPECT_EQ(table_->lookup("multi").error().kind, ErrorKind::kTemporary);
}

TEST_F(SqliteFixture, LeavesTheDatabaseAlone) {
  configure("query = INSERT INTO t VALUES('new','x')");
  EXPECT_EQ(table_->lookup("joe").error().kind, ErrorKind::kTemporary);
  configure("query = SELECT v FROM t WHERE k='%s'");
  EXPECT_EQ(lookup("new"), "(none)");
}

TEST_F(SqliteFixture, ReportsWhatCannotBeOpened) {
  const std::string file = directory_.path("q.cf");
  configure("query = SELECT '%q'");
  EXPECT_EQ(lookup("joe"), "fatal: db_common_parse: " + file + ": Invalid query template: SELECT '%q'");
  configure("");
  EXPECT_EQ(lookup("joe"), "fatal: " + file + ": bad string length 0 < 1: table = ");
  std::filesystem::remove(directory_.path("t.db"));
  configure("query = SELECT '%s'");
  EXPECT_EQ(lookup("joe"), "fatal: sqlite:" + file + ": open database " + directory_.path("t.db") +
                               ": unable to open database file: No such file or directory");
}

TEST_F(SqliteFixture, ReadsItsSettingsFromMainCf) {
  TableFixture fixture(concat("db = ", directory_.path("t.db"),
                              "\nsq_dbpath = $db\nsq_query = SELECT v FROM t WHERE k='%s'\n"));
  const auto table = open_module_table("sqlite", "sq", fixture.context);
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(outcome((*table)->lookup("joe")), "joe@one.example");
}

TEST_F(SqliteFixture, WorksInAProgramWithARuntimeOfItsOwn) {
  directory_.write("d.cf",
                   concat("dbpath = ", directory_.path("t.db"),
                          "\ndomain = d.example\nquery = SELECT '%u' || v FROM t\nexpansion_limit = 1\n"));
  const std::string program =
      (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "module_program").string();
  const auto run = [&](std::string_view arguments) {
    std::FILE* const pipe = ::popen(concat(program, " sqlite ", directory_.path(arguments)).c_str(), "r");
    std::string output;
    for (int c = 0; (c = std::fgetc(pipe)) != EOF;) output += static_cast<char>(c);
    return std::pair(::pclose(pipe), output);
  };
  EXPECT_EQ(run("q.cf joe multi none"),
            std::pair(0, std::string("joe -> joe@one.example\nmulti -> m1,m2,m3\nnone -> (none)\n")));
  EXPECT_EQ(run("d.cf joe a@d.example"),
            std::pair(0, concat("joe -> (none)\nwarning: dict_sqlite_lookup: ", directory_.path("d.cf"),
                                ": Expansion limit exceeded for key 'a@d.example'\n"
                                "a@d.example -> error: No such file or directory\n")));
  EXPECT_EQ(run("none.cf joe"), std::pair(1 << 8, concat("fatal: open ", directory_.path("none.cf"),
                                                         ": No such file or directory\n")));
}

#endif  // POSTKIT_TEST_SQLITE

#ifdef POSTKIT_TEST_MYSQL

TEST(MysqlModule, ReportsThatNobodyListens) {
  const TempDirectory directory;
  directory.write("m.cf", concat("hosts = 127.0.0.1:1 unix:", directory.path("sock"),
                                 " inet:127.0.0.1:2\ndbname = z\nquery = SELECT '%u' WHERE '%d' = 1\n"));
  TableFixture fixture;
  const auto table = open_module_table("mysql", directory.path("m.cf"), fixture.context);
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(outcome((*table)->lookup("plain")), "(none)");
  EXPECT_TRUE(fixture.warned().empty());
  const auto value = (*table)->lookup("a@b");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().kind, ErrorKind::kTemporary);
  std::vector<std::string> warned = fixture.warned();
  ASSERT_EQ(warned.size(), 3u);
  // Sockets come first, the others in any order.
  EXPECT_TRUE(warned[0].starts_with("connect to mysql server unix:" + directory.path("sock") + ": "))
      << warned[0];
  std::sort(warned.begin() + 1, warned.end());
  EXPECT_TRUE(warned[1].starts_with("connect to mysql server 127.0.0.1:1: ")) << warned[1];
  EXPECT_TRUE(warned[2].starts_with("connect to mysql server inet:127.0.0.1:2: ")) << warned[2];
}

TEST(MysqlModule, RefusesSettings) {
  static constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"", "FILE: bad string length 0 < 1: dbname = "},
      {"dbname = x\n", "FILE: bad string length 0 < 1: table = "},
      {"dbname = x\nquery = %0\n", "db_common_parse: FILE: Invalid query template: %0"},
      {"dbname = x\nquery = 1\nrequire_result_set = x\n",
       "FILE: bad boolean configuration: require_result_set = x"},
      {"dbname = x\nquery = 1\nhosts = foo:bar\n", "unknown service: bar/tcp"},
      {"dbname = x\nquery = 1\nhosts = foo:\n", "unknown service: /tcp"},
      {"dbname = x\nquery = 1\nhosts = foo:99999\n", "bad port number: 99999"},
  };
  const TempDirectory directory;
  const std::string file = directory.path("m.cf");
  for (const auto& [settings, message] : kCases) {
    directory.write("m.cf", settings);
    TableFixture fixture;
    const auto table = open_module_table("mysql", file, fixture.context);
    ASSERT_FALSE(table) << settings;
    std::string expected(message);
    if (const std::size_t place = expected.find("FILE"); place != std::string::npos)
      expected.replace(place, 4, file);
    EXPECT_EQ(table.error().message, expected);
  }
}

#endif  // POSTKIT_TEST_MYSQL

}  // namespace
}  // namespace libmaps
