#include "tools/mta/sasl/cyrus_options.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace mta {
namespace {

using libconf::Result;

TEST(CyrusOptions, AreRead) {
  const Result<CyrusOptions> options = CyrusOptions::parse(
      "# comment\n\nMech_List: PLAIN LOGIN  \n\tsasldb_path:/etc/db:x\nmech_list: OTHER\nempty:\nlast-one: 1",
      "smtpd.conf");
  ASSERT_TRUE(options);
  const std::pair<const char*, const char*> cases[] = {
      {"mech_list", "PLAIN LOGIN"}, {"sasldb_path", "/etc/db:x"}, {"empty", ""}, {"last-one", "1"}};
  for (const auto& [name, value] : cases) {
    ASSERT_NE(options->get(name), nullptr) << name;
    EXPECT_EQ(*options->get(name), value) << name;
  }
  EXPECT_EQ(options->get("pwcheck_method"), nullptr);
}

TEST(CyrusOptions, RefuseOtherLines) {
  for (const char* text : {"a: 1\nmech_list PLAIN\n", "a: 1\n: value\n", "a: 1\nmech list: x\n"}) {
    const Result<CyrusOptions> options = CyrusOptions::parse(text, "smtpd.conf");
    ASSERT_FALSE(options) << text;
    EXPECT_EQ(options.error().kind, libconf::ErrorKind::kSyntax);
    EXPECT_EQ(options.error().message, "smtpd.conf, line 2: expected \"option: value\"");
    EXPECT_EQ(options.error().line, 2);
  }
}

TEST(CyrusOptions, AreFoundInTheFirstDirectoryThatHasThem) {
  const std::filesystem::path top =
      std::filesystem::temp_directory_path() / ("postkit-cyrus-" + std::to_string(::getpid()));
  for (const char* name : {"one", "two", "three"}) std::filesystem::create_directories(top / name);
  std::ofstream(top / "two" / "smtpd.conf") << "a: two\n";
  std::ofstream(top / "three" / "smtpd.conf") << "a: three\n";
  const std::string path = (top / "none").string() + ":" + (top / "one").string() + ":" +
                           (top / "two").string() + ":" + (top / "three").string();
  const Result<CyrusOptions> found = CyrusOptions::find("smtpd", path);
  ASSERT_TRUE(found);
  ASSERT_NE(found->get("a"), nullptr);
  EXPECT_EQ(*found->get("a"), "two");
  const Result<CyrusOptions> absent = CyrusOptions::find("other", path);
  ASSERT_TRUE(absent);
  EXPECT_EQ(absent->get("a"), nullptr);
  std::filesystem::create_directory(top / "one" / "smtpd.conf");
  EXPECT_FALSE(CyrusOptions::find("smtpd", path)) << "a directory is no file";
  std::filesystem::remove_all(top);
}

}  // namespace
}  // namespace mta
