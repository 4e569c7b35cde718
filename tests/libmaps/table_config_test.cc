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
