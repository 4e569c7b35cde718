#include "tools/mta/tls/sni_maps.h"

#include <gtest/gtest.h>

#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/table_fixture.h"

namespace mta {
namespace {

using postkit_test::outcome;
using postkit_test::TableFixture;
using Texts = std::vector<std::string>;

TEST(ServerNames, ValidAndInvalid) {
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + label;
  for (const std::string& name :
       {std::string("a.example"), std::string("localhost"), std::string("x_y.b.example"),
        std::string("1.example"), label + ".example", longest})
    EXPECT_TRUE(is_server_name(name)) << name;
  for (const std::string& name :
       {std::string(), std::string("."), std::string("192.0.2.1"), std::string("a_b!.example"),
        std::string(".b.example"), std::string("a.example."), std::string("-x.example"),
        std::string("x-.example"), std::string("\xc3\xa9.example"), std::string("x..example"),
        std::string("a b"), std::string("a/b"), label + "a.example", longest + "a", std::string("a\0b", 3)})
    EXPECT_FALSE(is_server_name(name)) << name;
}

TEST(SniMaps, KeysAreTheNameAndItsParents) {
  EXPECT_EQ(sni_lookup_keys("x.y.b.example"),
            (Texts{"x.y.b.example", ".y.b.example", ".b.example", ".example"}));
  EXPECT_EQ(sni_lookup_keys("localhost"), (Texts{"localhost"}));
}

TEST(SniMaps, TheContentsOfTheFilesThatTheFirstTableNames) {
  const postkit_test::TempDirectory directory;
  directory.write("a.pem", "A\n");
  directory.write("b.pem", "B\n");
  TableFixture fixture("tls_server_sni_maps = inline:{ {a.example = " + directory.path("a.pem") +
                       "}, {.b.example = " + directory.path("b.pem") +
                       "} }, inline:{a.example=" + directory.path("b.pem") + "}\n");
  Result<SniMaps> maps = SniMaps::open(fixture.settings, fixture.warnings);
  ASSERT_TRUE(maps);
  libconf::DiagnosticList log;
  EXPECT_EQ(outcome(maps->find("a.example", log)), "A\n");
  EXPECT_EQ(outcome(maps->find("A.Example", log)), "A\n");
  EXPECT_EQ(outcome(maps->find("x.y.b.example", log)), "B\n");
  EXPECT_EQ(outcome(maps->find("b.example", log)), "(none)");
  EXPECT_EQ(outcome(maps->find("x.a.example", log)), "(none)");
  EXPECT_EQ(libconf::messages(log), Texts());
}

TEST(SniMaps, AnErrorIsNotAbsence) {
  TableFixture fixture("tls_server_sni_maps = fail:x\n");
  Result<SniMaps> maps = SniMaps::open(fixture.settings, fixture.warnings);
  ASSERT_TRUE(maps);
  libconf::DiagnosticList log;
  EXPECT_EQ(outcome(maps->find("a.example", log)),
            "error: tls_server_sni_maps: a.example map lookup problem");
  EXPECT_EQ(libconf::messages(log), (Texts{"fail:x lookup error for \"a.example\""}));
}

TEST(SniMaps, ATableThatCannotBeOpenedIsReportedAndDoesNotCountAsEmpty) {
  TableFixture fixture("tls_server_sni_maps = hash:/nonexistent/sni\n");
  Result<SniMaps> maps = SniMaps::open(fixture.settings, fixture.warnings);
  ASSERT_TRUE(maps);
  EXPECT_EQ(fixture.warned(), (Texts{"open database /nonexistent/sni.db: No such file or directory"}));
  libconf::DiagnosticList log;
  EXPECT_EQ(outcome(maps->find("a.example", log)),
            "error: tls_server_sni_maps: a.example map lookup problem");
}

}  // namespace
}  // namespace mta
