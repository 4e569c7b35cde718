#include "libmaps/table_config.h"

#include <gtest/gtest.h>

#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/table_fixture.h"

namespace libmaps {
namespace {

using libconf::Result;
using postkit_test::TableFixture;
using postkit_test::TempDirectory;

TEST(TableConfig, ReadsAFileAsItStands) {
  const TempDirectory directory;
  directory.write("q.cf", "query = SELECT $v\n  FROM t # 1\n# note\nexpansion_limit = 3\nrequire = YES\n");
  TableFixture fixture("v = wrong\n");
  const auto config = TableConfig::open(directory.path("q.cf"), fixture.context);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->name(), directory.path("q.cf"));
  EXPECT_EQ(config->get_string("query", "").value(), "SELECT $v  FROM t # 1");
  EXPECT_EQ(config->get_string("dbname", "none").value(), "none");
  EXPECT_EQ(config->get_int("expansion_limit", 0).value(), 3);
  EXPECT_EQ(config->get_int("other", 7).value(), 7);
  EXPECT_TRUE(config->get_bool("require", false).value());
  EXPECT_TRUE(config->get_bool("other", true).value());
}

TEST(TableConfig, ReadsMainCfUnderAName) {
  TableFixture fixture("base = /srv\nsq_dbpath = $base/t.db\nsq_limit = x\nsq_yes = maybe\nsq_bad = ${\n");
  const auto config = TableConfig::open("sq", fixture.context);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->get_string("dbpath", "").value(), "/srv/t.db");
  EXPECT_EQ(config->get_string("query", "fallback").value(), "fallback");
  EXPECT_EQ(config->get_string("query", "", {.min = 1}).error().message,
            "bad string length 0 < 1: sq_query = ");
  EXPECT_EQ(config->get_int("limit", 0).error().message, "bad numerical configuration: sq_limit = x");
  EXPECT_EQ(config->get_bool("yes", false).error().message, "bad boolean configuration: sq_yes = maybe");
  EXPECT_FALSE(config->get_string("bad", ""));
}

TEST(TableConfig, NamesTheFileInWhatIsWrongWithAValue) {
  const TempDirectory directory;
  directory.write("q.cf", "word = abc\nbig = 99999999999\nlow = -1\nempty =\n");
  TableFixture fixture;
  const std::string file = directory.path("q.cf");
  const auto config = TableConfig::open(file, fixture.context);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->get_string("dbname", "", {.min = 1}).error().message,
            file + ": bad string length 0 < 1: dbname = ");
  EXPECT_EQ(config->get_string("empty", "%s", {.min = 1}).error().message,
            file + ": bad string length 0 < 1: empty = ");
  EXPECT_EQ(config->get_string("word", "", {.max = 2}).error().message,
            file + ": bad string length 3 > 2: word = abc");
  EXPECT_EQ(config->get_int("word", 0).error().message, file + ": bad numerical configuration: word = abc");
  EXPECT_EQ(config->get_int("big", 0).error().message,
            file + ": bad numerical configuration: big = 99999999999");
  EXPECT_EQ(config->get_int("low", 0).value(), -1);
  EXPECT_EQ(config->get_int("low", 0, {.min = 1}).error().kind, libconf::ErrorKind::kConfiguration);
  EXPECT_EQ(config->get_int("low", 0, {.min = 1}).error().message,
            file + ": invalid low parameter value -1 < 1");
  EXPECT_EQ(config->get_bool("word", false).error().message,
            file + ": bad boolean configuration: word = abc");
}

// What Postfix 3.7 reads from the same files.
TEST(TableConfig, HasTheSyntaxOfMainCf) {
  static constexpr struct {
    std::string_view name;
    std::string_view text;
    std::string_view value;
  } kCases[] = {
      {"no blanks", "query=a b\n", "a b"},
      {"blanks at both ends", "query \t =\t  a b \t\n", "a b"},
      {"an equals sign in the value", "query = a = 'b'\n", "a = 'b'"},
      {"no newline at the end", "query = a", "a"},
      {"continuation lines", "query = a\n  b\n\tc\n", "a  b\tc"},
      {"comments and blank lines between them", "query = a\n# x\n  # y\n\n   \n b\n", "a b"},
      {"CRLF", "query = a\r\n  b\r\nother = c\r\n", "a\r  b"},
      {"$name", "query = $v ${v} $$\n", "$v ${v} $$"},
      {"UTF-8", "query = 'caf\xC3\xA9'\n", "'caf\xC3\xA9'"},
      {"other bytes", "query = \xFF\x80\n", "\xFF\x80"},
      {"the last of two", "query = a\nquery = b\n", "b"},
      {"an odd name before it", "1-x.\xC3\xA9 = x\nquery = a\n", "a"},
      {"empty", "query =\n", ""},
  };
  const TempDirectory directory;
  TableFixture fixture("v = wrong\n");
  for (const auto& c : kCases) {
    directory.write("q.cf", c.text);
    const auto config = TableConfig::open(directory.path("q.cf"), fixture.context);
    ASSERT_TRUE(config) << c.name;
    EXPECT_EQ(config->get_string("query", "(none)").value(), c.value) << c.name;
  }
}

TEST(TableConfig, ShowsNoSecretWhenItsLengthIsWrong) {
  const TempDirectory directory;
  directory.write("q.cf", "password = hush\nuri = mongodb://u:hush@h\nuser = joe\n");
  TableFixture fixture("my_bind_pw = hush\n");
  const std::string file = directory.path("q.cf");
  const auto config = TableConfig::open(file, fixture.context);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->get_string("password", "", {.max = 2}).error().message,
            file + ": bad string length 4 > 2: password = (hidden)");
  EXPECT_EQ(config->get_string("uri", "", {.min = 99}).error().message,
            file + ": bad string length 18 < 99: uri = (hidden)");
  EXPECT_EQ(config->get_string("user", "", {.max = 2}).error().message,
            file + ": bad string length 3 > 2: user = joe");
  EXPECT_EQ(TableConfig::open("my", fixture.context)->get_string("bind_pw", "", {.max = 2}).error().message,
            "bad string length 4 > 2: my_bind_pw = (hidden)");
  EXPECT_EQ(config->get_int("password", 0).error().message,
            file + ": bad numerical configuration: password = (hidden)");
  EXPECT_EQ(config->get_bool("password", false).error().message,
            file + ": bad boolean configuration: password = (hidden)");
}

TEST(TableConfig, StopsAtTheFirstMalformedLine) {
  const TempDirectory directory;
  directory.write("bad.cf", "  lost\nhosts 127.0.0.1\n");
  TableFixture fixture;
  const std::string file = directory.path("bad.cf");
  const auto config = TableConfig::open(file, fixture.context);
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().message, file + ", line 2: missing '=' after attribute name: \"hosts 127.0.0.1\"");
  EXPECT_EQ(fixture.warned(),
            std::vector<std::string>{file + ": logical line must not start with whitespace: \"  lost\""});
}

TEST(TableConfig, ReportsAFileThatCannotBeRead) {
  TableFixture fixture;
  EXPECT_EQ(TableConfig::open("./absent.cf", fixture.context).error().message,
            "open ./absent.cf: No such file or directory");
  EXPECT_EQ(TableConfig::open("/", fixture.context).error().message, "read /: Is a directory");
}

}  // namespace
}  // namespace libmaps
