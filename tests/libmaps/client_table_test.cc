#include "libmaps/client_table.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "libconf/text.h"
#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/fake_table.h"
#include "tests/libmaps/table_fixture.h"

namespace libmaps {
namespace {

using libconf::concat;
using postkit_test::outcome;
using postkit_test::TableFixture;
using postkit_test::TempDirectory;

std::vector<std::string> asked;

/// A client whose server has an entry for "joe". Its settings are those of mysql tables.
Result<std::unique_ptr<Table>> make_client(const TableConfig& config, const TableContext&) {
  const Result<std::string> name = config.get_string("dbname", "", {.min = 1});
  if (!name) return name.error();
  asked.clear();
  return std::unique_ptr<Table>(std::make_unique<FakeTable>(
      "mysql:" + config.name(), std::map<std::string, std::string, std::less<>>{{"joe", *name}}, &asked));
}

/// A .cf file, and the table that it describes.
class ClientTable : public testing::Test {
 protected:
  Result<std::unique_ptr<Table>> open(std::string_view settings, mode_t mode = 0600) {
    directory_.write("m.cf", settings);
    EXPECT_EQ(::chmod(file().c_str(), mode), 0);
    fixture_.emplace(main_cf_);
    return open_client("mysql", file(), fixture_->context, make_client);
  }

  std::string file() const { return directory_.path("m.cf"); }

  /// What was warned of, as "LINE CODE: MESSAGE" with FILE for the name of the file.
  std::vector<std::string> warned() const {
    std::vector<std::string> out;
    for (const libconf::Diagnostic& d : fixture_->warnings.items())
      out.push_back(concat(std::to_string(d.line), " ", d.code, ": ", without_name(d.message)));
    return out;
  }

  std::string without_name(std::string text) const {
    for (std::size_t at; (at = text.find(file())) != std::string::npos;)
      text.replace(at, file().size(), "FILE");
    return text;
  }

  TempDirectory directory_;
  std::string main_cf_;
  std::optional<TableFixture> fixture_;
};

TEST_F(ClientTable, WarnsOfSettingsThatTheTypeDoesNotHave) {
  ASSERT_TRUE(open("dbname = x\n# comment\nresult_frmat = %s\nquery = 1\n  more\nbind_dn = x\n"));
  EXPECT_EQ(warned(),
            (std::vector<std::string>{"3 unused-parameter: FILE, line 3: unused parameter: result_frmat",
                                      "6 unused-parameter: FILE, line 6: unused parameter: bind_dn"}));
  ASSERT_TRUE(open("dbname = x\nhosts = h\nuser = u\ncache_size = 0\nDBNAME = y\n"));
  EXPECT_EQ(warned(), std::vector<std::string>{"5 unused-parameter: FILE, line 5: unused parameter: DBNAME"});
}

TEST_F(ClientTable, HasNoLinesForSettingsInMainCf) {
  TableFixture fixture("my_dbname = x\nmy_password = secret\nmy_result_frmat = y\n");
  const auto table = open_client("mysql", "my", fixture.context, make_client);
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(outcome((*table)->lookup("joe")), "x");
  EXPECT_TRUE(fixture.warned().empty());
}

TEST_F(ClientTable, WarnsOfSecretsThatEveryoneCanRead) {
  static constexpr struct {
    std::string_view setting;
    bool is_secret;
  } kCases[] = {
      {"password = x", true},
      {"bind_pw = x", true},
      {"password =", false},
      {"user = x", false},
      {"query = SELECT password FROM t", false},
      {"hosts = mongodb://u:p@host/db", true},
      {"hosts = a, postgresql://u:p@host/db", true},
      {"hosts = postgresql://host/db?user=u&password=p", true},
      {"hosts = postgresql://u@host/db", false},
      {"hosts = ldap://host:389/a@b", false},
      {"hosts = http://host:80 a:b@c", false},
      {"hosts = u:p@host", false},
  };
  for (const auto& c : kCases) {
    const std::string settings = concat("dbname = x\n", c.setting, "\n");
    const std::string name(c.setting.substr(0, c.setting.find(' ')));
    const std::string expected =
        concat("2 readable-secret: FILE, line 2: everyone can read the ", name, "; use \"chmod o-r FILE\"");
    for (const mode_t mode : {0644, 0604, 0640, 0600, 0620}) {
      ASSERT_TRUE(open(settings, mode));
      std::vector<std::string> warnings = warned();
      std::erase_if(warnings,
                    [](const std::string& text) { return text.find("unused") != std::string::npos; });
      const bool is_readable = (mode & S_IROTH) != 0;
      EXPECT_EQ(warnings, c.is_secret && is_readable ? std::vector{expected} : std::vector<std::string>())
          << c.setting << " with mode " << mode;
    }
  }
}

// Golden case: where a table cannot be opened, Postfix's error stands alone.
TEST_F(ClientTable, GivesNoAdviceOnATableThatCannotBeOpened) {
  const auto table = open("hosts = h\nuser = x\npassword = y\n", 0644);
  ASSERT_FALSE(table);
  EXPECT_EQ(without_name(table.error().message), "FILE: bad string length 0 < 1: dbname = ");
  EXPECT_TRUE(warned().empty());
}

TEST_F(ClientTable, RemembersResultsWhenAskedTo) {
  const auto keys_asked = [&](std::string_view settings) {
    const auto table = open(concat("dbname = x\n", settings));
    if (!table) return without_name(table.error().message);
    EXPECT_EQ((*table)->name(), "mysql:" + file());
    for (const char* key : {"joe", "ann", "joe", "ann", "bob", "joe"})
      EXPECT_EQ(outcome((*table)->lookup(key)), std::string_view(key) == "joe" ? "x" : "(none)");
    std::string keys;
    for (const std::string& key : asked) keys += concat(keys.empty() ? "" : " ", key);
    return keys;
  };
  const std::string all = "joe ann joe ann bob joe";
  EXPECT_EQ(keys_asked(""), all);
  EXPECT_EQ(keys_asked("cache_size = 10\n"), all);
  EXPECT_EQ(keys_asked("cache_ttl = 10\n"), all);
  EXPECT_EQ(keys_asked("cache_size = -1\ncache_ttl = 10\n"), all);
  EXPECT_EQ(keys_asked("cache_size = 10\ncache_ttl = 10\n"), "joe ann bob");
  EXPECT_EQ(keys_asked("cache_size = 2\ncache_ttl = 10\n"), "joe ann bob joe");
  EXPECT_EQ(keys_asked("cache_size = 1\ncache_ttl = 10\n"), all);
  EXPECT_EQ(keys_asked("cache_size = x\n"), "FILE: bad numerical configuration: cache_size = x");
  EXPECT_EQ(keys_asked("cache_size =\n"), "FILE: bad numerical configuration: cache_size = ");
  EXPECT_EQ(keys_asked("cache_ttl = 10m\n"), "FILE: bad numerical configuration: cache_ttl = 10m");
  EXPECT_EQ(keys_asked("cache_ttl = 99999999999\n"),
            "FILE: bad numerical configuration: cache_ttl = 99999999999");
}

TEST_F(ClientTable, ReportsAFileThatCannotBeRead) {
  TableFixture fixture;
  const auto message = [&](std::string_view name) {
    return open_client("mysql", name, fixture.context, make_client).error().message;
  };
  EXPECT_EQ(message(directory_.path("none.cf")),
            concat("open ", directory_.path("none.cf"), ": No such file or directory"));
  EXPECT_EQ(message(directory_.path()), concat("read ", directory_.path(), ": Is a directory"));
  EXPECT_EQ(message("."), "read .: Is a directory");
  if (::geteuid() == 0) return;  // Root can read everything.
  directory_.write("closed.cf", "dbname = x\n");
  ASSERT_EQ(::chmod(directory_.path("closed.cf").c_str(), 0), 0);
  EXPECT_EQ(message(directory_.path("closed.cf")),
            concat("open ", directory_.path("closed.cf"), ": Permission denied"));
}

// Whatever is wrong with a file, and wherever in it: no message has what is secret in it.
TEST_F(ClientTable, KeepsSecretsOutOfMessages) {
  static constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"password = hush1\npassword = hush2\n", "FILE, line 3: overriding earlier entry: password (hidden)"},
      {"  password = hush\n", ""},  // It continues the line before.
      {"password hush\n", "FILE, line 2: missing '=' after attribute name: password (hidden)"},
      {"bind_pw: hush\n", "FILE, line 2: missing '=' after attribute name: bind_pw (hidden)"},
      {"user joe\npassword = hush\n", "FILE, line 2: missing '=' after attribute name: \"user joe\""},
      {"password = word #hush\n", "FILE: #comment after other text is not allowed: password (hidden)"},
      {"password = a\n  hush #hush\nnext = 1\n",
       "FILE: #comment after other text is not allowed: password (hidden)"},
      {"hosts = mongodb://u:hush@h\nhosts = h\n", "FILE, line 3: overriding earlier entry: hosts (hidden)"},
      {"hosts mongodb://u:hush@h\n", "FILE, line 2: missing '=' after attribute name: hosts (hidden)"},
      {"password = hush\nhosts = a\nhosts = b\n", "FILE, line 4: overriding earlier entry: hosts=a"},
  };
  for (const auto& [lines, expected] : kCases) {
    const auto table = open(concat("dbname = x\n", lines), 0644);
    std::string all = table ? "" : without_name(table.error().message);
    for (const std::string& text : warned()) all += "\n" + text;
    EXPECT_EQ(all.find("hush"), std::string::npos) << all;
    std::string wanted(expected);
    if (const std::size_t quote = wanted.find("\"(hidden)"); quote != std::string::npos)
      wanted.erase(quote, 1);
    EXPECT_NE(all.find(wanted), std::string::npos) << all;
  }
  // At the beginning of a file, an indented line continues nothing.
  open("  password = hush\ndbname = x\n").has_value();
  EXPECT_EQ(
      warned(),
      std::vector<std::string>{
          "1 indented-first-line: FILE: logical line must not start with whitespace: password (hidden)"});
}

}  // namespace
}  // namespace libmaps
