#include "tools/postexplain/table_place.h"

#include <gtest/gtest.h>

#include "libconf/host.h"
#include "libconf/text.h"
#include "tests/libconf/temp_directory.h"

namespace postexplain {
namespace {

class TablePlaceTest : public testing::Test {
 protected:
  /// The place of an answer of TYPE:FILE, without the directory.
  std::string place(const std::string& type, const std::string& key, const std::string& value) {
    std::string found =
        table_place(libconf::concat(type, ":", directory_.path("table")), key, value, settings_);
    const std::string prefix = directory_.path() + "/";
    return found.starts_with(prefix) ? found.substr(prefix.size()) : found;
  }

  postkit_test::TempDirectory directory_;
  libconf::Settings settings_{nullptr, libconf::system_host()};
};

TEST_F(TablePlaceTest, LinesOfEntries) {
  directory_.write("table", "# comment\nann@x\tone\nBob@X two\n  and more\n\nann@x three\n");
  EXPECT_EQ(place("texthash", "ann@x", "one"), "table:2");
  EXPECT_EQ(place("texthash", "bob@x", "two  and more"), "table:3");
  // Keys are folded where they are stored, and where they are asked for.
  EXPECT_EQ(place("hash", "BOB@x", "two  and more"), "table:3");
  EXPECT_EQ(place("proxy:lmdb", "ann@x", "one"), "table:2");
  directory_.write("table", "# aliases\nroot: ann\nbin:  root, bob\n");
  EXPECT_EQ(place("hash", "root", "ann"), "table:2");
  EXPECT_EQ(place("cdb", "bin", "root, bob"), "table:3");
}

TEST_F(TablePlaceTest, AnIndexMayHaveNoSource) {
  directory_.write("table", "ann@x one\n");
  EXPECT_EQ(place("hash", "ann@x", "another value"), "(index)");
  EXPECT_EQ(place("cdb", "bob@x", "one"), "(index)");
  EXPECT_EQ(place("texthash", "bob@x", "one"), "");
  EXPECT_EQ(table_place("hash:/no/such/file", "ann@x", "one", settings_), "(index)");
}

TEST_F(TablePlaceTest, RulesAreFoundByWhatTheyAnswer) {
  directory_.write("table",
                   "# blocks and negation\n"
                   "192.0.2.1 first\n"
                   "if 192.0.2.0/24\n"
                   "!192.0.2.7/32 not seven\n"
                   "192.0.2.7\n"
                   "   seven\n"
                   "endif\n"
                   "0.0.0.0/0 rest\n");
  EXPECT_EQ(place("cidr", "192.0.2.1", "first"), "table:2");
  EXPECT_EQ(place("cidr", "192.0.2.2", "not seven"), "table:4");
  EXPECT_EQ(place("cidr", "192.0.2.7", "seven"), "table:5");
  EXPECT_EQ(place("cidr", "198.51.100.1", "rest"), "table:8");
  EXPECT_EQ(place("cidr", "2001:db8::1", "rest"), "");
  directory_.write("table", "/^a/ one\nif /@x/\n!/^b/ two $1\n/(b)/ three $1\nendif\n/./ last\n");
  for (const std::string type : {"regexp", "pcre"}) {
    EXPECT_EQ(place(type, "ann", "one"), "table:1");
    EXPECT_EQ(place(type, "b@x", "three b"), "table:4") << type;
    EXPECT_EQ(place(type, "zoe", "last"), "table:6");
  }
}

TEST_F(TablePlaceTest, RulesInBracesAreCounted) {
  EXPECT_EQ(table_place("regexp:{ {/a/ one}, {/b/ two} }", "b", "two", settings_), "rule 2");
  EXPECT_EQ(table_place("inline:{a=b}", "a", "b", settings_), "");
  EXPECT_EQ(table_place("static:x", "a", "x", settings_), "");
  EXPECT_EQ(table_place("nosuch:x", "a", "x", settings_), "");
  EXPECT_EQ(table_place("x", "a", "x", settings_), "");
}

}  // namespace
}  // namespace postexplain
