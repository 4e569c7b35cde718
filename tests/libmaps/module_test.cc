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

#ifdef POSTKIT_TEST_LDAP

TEST(LdapModule, TellsWhenNoServerAnswers) {
  const TempDirectory directory;
  const std::string file = directory.path("l.cf");
  directory.write("l.cf",
                  "server_host = ldap://127.0.0.1:1 127.0.0.1\nserver_port = 2\nquery_filter = cn=%u\n"
                  "bind_dn = cn=x\nresult_format = %D\n");
  TableFixture fixture;
  const auto table = open_module_table("ldap", file, fixture.context);
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ((*table)->name(), "ldap:" + file);
  EXPECT_EQ(outcome((*table)->lookup("plain")), "(none)");
  EXPECT_TRUE(fixture.warned().empty());
  const auto value = (*table)->lookup("a@b");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().kind, ErrorKind::kTemporary);
  const std::string servers = "ldap://127.0.0.1:1 ldap://127.0.0.1:2";
  const std::vector<std::string> expected = {
      "dict_ldap_connect: Unable to bind to server " + servers +
          " with dn cn=x: -1 (Can't contact LDAP server)",
      "ldap:" + file + ": server " + servers + ": Can't contact LDAP server"};
  EXPECT_EQ(fixture.warned(), expected);
}

TEST(LdapModule, FailsFromTheFirstKeyThatItCannotTell) {
  const TempDirectory directory;
  directory.write("l.cf", "server_host = ldap://127.0.0.1:1\nbind = no\nquery_filter = cn=%d\n");
  TableFixture fixture;
  const auto table = open_module_table("ldap", directory.path("l.cf"), fixture.context);
  ASSERT_TRUE(table) << table.error().message;
  for (const char* key : {"plain", "", "a@b", "c@d"}) (*table)->expect(key);
  EXPECT_EQ(outcome((*table)->lookup("plain")), "(none)");
  EXPECT_TRUE(fixture.warned().empty());
  EXPECT_EQ(outcome((*table)->lookup("")), "(none)");
  EXPECT_EQ(fixture.warned().size(), 1U);
  for (const char* key : {"a@b", "c@d"}) EXPECT_TRUE(outcome((*table)->lookup(key)).starts_with("error: "));
  EXPECT_EQ(fixture.warned().size(), 5U);
}

// Worded as Postfix 3.7 words them.
TEST(LdapModule, WarnsOfSettings) {
  static constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"scope = bogus\n", "dict_ldap_open: FILE: Unrecognized value bogus specified for scope; using sub"},
      {"scope = ONE\n", ""},
      {"dereference = 7\n", "dict_ldap_open: FILE Unrecognized value 7 specified for dereference; using 0"},
      {"version = 4\n", "dict_ldap_open: FILE Unknown version 4, using 3."},
      {"version = 2\nstart_tls = yes\n", "dict_ldap_open: FILE start_tls requires protocol version 3"},
      {"version = 2\nserver_host = ldaps://x\n",
       "dict_ldap_open: URL scheme ldaps requires protocol version 3"},
      {"query_filter = cn=joe%%\n", "dict_ldap_open: FILE: Fixed query_filter cn=joe%% is probably useless"},
      {"cache = yes\n", "dict_ldap_open: FILE ignoring cache"},
      {"cache_expiry = 3\n", "dict_ldap_open: FILE ignoring cache_expiry"},
      {"cache_size = 3\n", "dict_ldap_open: FILE ignoring cache_size"},
      {"cache_size = 3\ncache_ttl = 9\n", ""},
      {"server_host = ldap://[x\n",
       "dict_ldap_open: error parsing URL ldap://[x: 5: Compare False; skipping"},
  };
  const TempDirectory directory;
  const std::string file = directory.path("l.cf");
  for (const auto& [settings, message] : kCases) {
    directory.write("l.cf", settings);
    TableFixture fixture;
    ASSERT_TRUE(open_module_table("ldap", file, fixture.context)) << settings;
    std::string expected(message);
    if (const std::size_t place = expected.find("FILE"); place != std::string::npos)
      expected.replace(place, 4, file);
    EXPECT_EQ(fixture.warned(),
              expected.empty() ? std::vector<std::string>{} : std::vector<std::string>{expected})
        << settings;
  }
}

TEST(LdapModule, RefusesSettings) {
  static constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"server_host =\n", "FILE: bad string length 0 < 1: server_host = "},
      {"server_port = y\nscope =\n", "FILE: bad numerical configuration: server_port = y"},
      {"version = x\n", "FILE: bad numerical configuration: version = x"},
      {"search_base = %x\nquery_filter = %y\n", "db_common_parse: FILE: Invalid query template: %x"},
      {"query_filter = %y\nresult_format = %z\n", "db_common_parse: FILE: Invalid query template: %y"},
      {"result_format = %q\n", "db_common_parse: FILE: Invalid result template: %q"},
      {"result_filter = %q\n", "db_common_parse: FILE: Invalid result template: %q"},
      {"result_filter =\n", "FILE: bad string length 0 < 1: result_filter = "},
      {"bind =\n", "FILE: bad string length 0 < 1: bind = "},
      {"bind = bogus\n", "FILE: unsupported parameter value: bind = bogus"},
      {"chase_referrals = 1\n", "FILE: bad boolean configuration: chase_referrals = 1"},
      {"tls_require_cert = demand\n", "FILE: bad boolean configuration: tls_require_cert = demand"},
      {"sasl_minssf = x\n", "FILE: bad numerical configuration: sasl_minssf = x"},
  };
  const TempDirectory directory;
  const std::string file = directory.path("l.cf");
  for (const auto& [settings, message] : kCases) {
    directory.write("l.cf", settings);
    TableFixture fixture;
    const auto table = open_module_table("ldap", file, fixture.context);
    ASSERT_FALSE(table) << settings;
    std::string expected(message);
    if (const std::size_t place = expected.find("FILE"); place != std::string::npos)
      expected.replace(place, 4, file);
    EXPECT_EQ(table.error().message, expected);
  }
}

// ldap_table(5), OBSOLETE MAIN.CF PARAMETERS.
TEST(LdapModule, HasSettingsInMainCf) {
  TableFixture fixture("there = ldap://127.0.0.1:1\npeople_server_host = $there\npeople_scope = x\n");
  const auto table = open_module_table("ldap", "people", fixture.context);
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_FALSE((*table)->lookup("a"));
  ASSERT_EQ(fixture.warned().size(), 3U);
  EXPECT_EQ(fixture.warned()[0],
            "dict_ldap_open: people: Unrecognized value x specified for scope; using sub");
  EXPECT_EQ(fixture.warned()[2], "ldap:people: server ldap://127.0.0.1:1: Can't contact LDAP server");
}

#endif  // POSTKIT_TEST_LDAP

}  // namespace
}  // namespace libmaps
