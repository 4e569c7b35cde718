// What the module does without a server, or with one that speaks no PostgreSQL; the rest is in
// tests/integration/pgsql_test.py.
#ifdef POSTKIT_TEST_PGSQL

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "libconf/text.h"
#include "libmaps/module.h"
#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/scripted_server.h"
#include "tests/libmaps/table_fixture.h"

namespace libmaps {
namespace {

using libconf::concat;
using postkit_test::outcome;
using postkit_test::ScriptedServer;
using postkit_test::TableFixture;
using postkit_test::TempDirectory;

/// A table with these settings, in the file `file_`.
class PgsqlModule : public testing::Test {
 protected:
  Result<std::unique_ptr<Table>> open(std::string_view settings) {
    std::filesystem::remove(file_);
    directory_.write("p.cf", settings);
    std::filesystem::permissions(file_, std::filesystem::perms::owner_read);  // It has passwords.
    return open_module_table("pgsql", file_, fixture_.context);
  }

  TempDirectory directory_;
  std::string file_ = directory_.path("p.cf");
  TableFixture fixture_;
};

TEST_F(PgsqlModule, ReportsThatNobodyListens) {
  const std::string port = postkit_test::unused_port();
  const auto table = open(concat("hosts = 127.0.0.1:", port, " unix:", directory_.path("none"),
                                 " postgresql://mail:secret@127.0.0.1:", port,
                                 "/m\ndbname = z\nquery = SELECT '%u' WHERE '%d' = 1\n"));
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(outcome((*table)->lookup("plain")), "(none)");
  EXPECT_TRUE(fixture_.warned().empty());
  const auto value = (*table)->lookup("a@b");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().kind, ErrorKind::kTemporary);
  std::vector<std::string> warned = fixture_.warned();
  ASSERT_EQ(warned.size(), 3u);
  // Sockets come first, the others in any order.
  EXPECT_TRUE(warned[0].starts_with(concat("connect to pgsql server unix:", directory_.path("none"),
                                           ": connection to server on socket \"", directory_.path("none"),
                                           "/.s.PGSQL.5432\" failed: No such file or directory")))
      << warned[0];
  std::sort(warned.begin() + 1, warned.end());
  const std::string refused =
      concat("connection to server at \"127.0.0.1\", port ", port, " failed: Connection refused");
  EXPECT_TRUE(warned[1].starts_with(concat("connect to pgsql server 127.0.0.1:", port, ": ", refused)))
      << warned[1];
  EXPECT_TRUE(warned[2].starts_with(concat("connect to pgsql server postgresql://mail@127.0.0.1: ", refused)))
      << warned[2];

  EXPECT_FALSE((*table)->lookup("a@b"));
  ASSERT_EQ(fixture_.warned().size(), 4u);
  EXPECT_EQ(fixture_.warned()[3],
            concat("pgsql:", file_,
                   ": all servers failed a short time ago, and are left alone for their retry_interval"));
}

TEST_F(PgsqlModule, RefusesSettings) {
  static constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"", "FILE: bad string length 0 < 1: dbname = "},
      {"hosts = postgresql://a/b, c\n", "FILE: bad string length 0 < 1: dbname = "},
      {"hosts = postgresql://a/b\n", "FILE: bad string length 0 < 1: table = "},
      {"dbname = x\n", "FILE: bad string length 0 < 1: table = "},
      {"dbname = x\ntable = t\n", "FILE: bad string length 0 < 1: select_field = "},
      {"dbname = x\nquery = %0\n", "db_common_parse: FILE: Invalid query template: %0"},
      {"dbname = x\nquery = '%s'\nresult_format = %0\n",
       "db_common_parse: FILE: Invalid result template: %0"},
      {"dbname = x\nselect_function = f%0\n",
       "db_common_parse: FILE: Invalid query template: SELECT f%0('%s')"},
      {"dbname = x\nquery = 1\nencoding =\n", "FILE: bad string length 0 < 1: encoding = "},
      {"dbname = x\nquery = 1\nexpansion_limit = x\n",
       "FILE: bad numerical configuration: expansion_limit = x"},
      {"dbname = x\nquery = 1\nretry_interval = x\n",
       "FILE: bad numerical configuration: retry_interval = x"},
      {"dbname = x\nquery = 1\nidle_interval = 0\n", "FILE: invalid idle_interval parameter value 0 < 1"},
      {"dbname = x\nquery = 1\ntimeout = 86401\n", "FILE: invalid timeout parameter value 86401 > 86400"},
  };
  for (const auto& [settings, message] : kCases) {
    const auto table = open(settings);
    ASSERT_FALSE(table) << settings;
    EXPECT_EQ(table.error().kind, ErrorKind::kConfiguration) << settings;
    std::string expected(message);
    if (const std::size_t place = expected.find("FILE"); place != std::string::npos)
      expected.replace(place, 4, file_);
    EXPECT_EQ(table.error().message, expected);
  }
}

TEST_F(PgsqlModule, WarnsOfKeysThatQuotingDoesNotProtect) {
  ASSERT_TRUE(open("dbname = x\nquery = SELECT '%s', %d\n"));
  EXPECT_EQ(
      fixture_.warned(),
      std::vector<std::string>{concat(
          "pgsql:", file_, ": query >SELECT '%s', %d< contains >%d< without the recommended '' quotes")});
}

TEST_F(PgsqlModule, WarnsOfAPasswordThatEveryoneCanRead) {
  for (const std::string_view setting :
       {"password = secret\ndbname = x", "dbname = postgresql://a:secret@b/c",
        "dbname = user=a password=secret", "hosts = postgresql://a/b?password=secret\ndbname = x"}) {
    fixture_.warnings = {};
    ASSERT_TRUE(open(concat(setting, "\nquery = SELECT '%s'\n")));
    EXPECT_TRUE(fixture_.warned().empty()) << setting;
    std::filesystem::permissions(file_, std::filesystem::perms::others_read,
                                 std::filesystem::perm_options::add);
    ASSERT_TRUE(open_module_table("pgsql", file_, fixture_.context));
    ASSERT_EQ(fixture_.warned().size(), 1u) << setting;
    EXPECT_NE(fixture_.warned()[0].find("everyone can read"), std::string::npos) << fixture_.warned()[0];
    EXPECT_EQ(fixture_.warned()[0].find("secret"), std::string::npos) << fixture_.warned()[0];
  }
}

TEST_F(PgsqlModule, CouldNotTellWhatAStrangeServerMeans) {
  struct Case {
    std::string_view name;
    std::string bytes;
    bool closes;
    std::string_view reason;
  };
  const Case kCases[] = {
      {"closes", "", true, "server closed the connection unexpectedly"},
      {"is silent", "", false, "timeout expired"},
      {"is another", "220 mail.example.com ESMTP\r\n", false, "expected authentication request from server"},
      {"promises too much", std::string("R\x7f\xff\xff\xff\0\0\0\0", 9), false, ""},
      {"stops half-way", std::string("R\0\0\0\x08\0\0", 7), true,
       "server closed the connection unexpectedly"},
      {"asks for the password again and again", std::string("R\0\0\0\x08\0\0\0\x03", 9), false, ""},
  };
  for (const Case& c : kCases) {
    // The request to start is one that has null bytes.
    const ScriptedServer server('\0', [&](const std::string&) {
      return ScriptedServer::Answer{.bytes = c.bytes, .closes = c.closes};
    });
    fixture_.warnings = {};
    const auto table = open(concat("hosts = postgresql://mail:secret@127.0.0.1:", server.port(),
                                   "/m?sslmode=disable\nquery = SELECT '%s'\ntimeout = 1\n"));
    ASSERT_TRUE(table) << table.error().message;
    const auto start = std::chrono::steady_clock::now();
    const auto value = (*table)->lookup("key");
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10)) << c.name;
    ASSERT_FALSE(value) << c.name;
    EXPECT_EQ(value.error().kind, ErrorKind::kTemporary) << c.name;
    ASSERT_EQ(fixture_.warned().size(), 1u) << c.name;
    const std::string warned = fixture_.warned()[0];
    EXPECT_TRUE(warned.starts_with("connect to pgsql server postgresql://mail@127.0.0.1: ")) << warned;
    EXPECT_NE(warned.find(c.reason), std::string::npos) << c.name << ": " << warned;
    EXPECT_EQ(warned.find("secret"), std::string::npos) << c.name << ": " << warned;
  }
}

}  // namespace
}  // namespace libmaps

#endif  // POSTKIT_TEST_PGSQL
