#include "libmaps/table_inventory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "tests/libconf/diagnostic_messages.h"
#include "tests/libconf/temp_directory.h"

namespace libmaps {
namespace {

class FindTables : public testing::Test {
 protected:
  /// The tables that main.cf and master.cf ask for: "type:name parameter parameter".
  std::vector<std::string> find(std::string main_cf, std::string master_cf = "") {
    directory_.write("main.cf", main_cf);
    directory_.write("master.cf", master_cf);
    const auto document = libconf::MainCfDocument::load(directory_.path("main.cf"));
    const auto services = libconf::MasterCf::load(directory_.path("master.cf"), warnings_);
    EXPECT_TRUE(document && services);
    const libconf::Settings settings(&*document, libconf::system_host());
    std::vector<std::string> found;
    for (const NamedTable& table : find_tables(settings, &*services, warnings_)) {
      if (!table.is_set) continue;
      // Many defaults refer to a parameter that is set: these are not looked at here.
      std::string text = table.type + ":" + table.name;
      for (const std::string& parameter : table.parameters)
        if ((main_cf + master_cf).find(parameter + " =") != std::string::npos) text += " " + parameter;
      found.push_back(text);
    }
    return found;
  }

  postkit_test::TempDirectory directory_;
  libconf::DiagnosticList warnings_;
};

using Found = std::vector<std::string>;

TEST_F(FindTables, LooksIntoListsBracesAndProxies) {
  EXPECT_EQ(
      find("virtual_alias_maps = hash:/v, proxy:btree:/p\n"
           "transport_maps = pipemap:{cdb:/c, unionmap:{lmdb:/l, inline:{a=b}}}\n"
           "smtpd_client_restrictions = check_client_access { hash:/braced }, reject\n"),
      (Found{"btree:/p virtual_alias_maps", "cdb:/c transport_maps", "hash:/braced smtpd_client_restrictions",
             "hash:/v virtual_alias_maps", "lmdb:/l transport_maps"}));
}

TEST_F(FindTables, FollowsValuesAndNamesAllWhoUseATable) {
  EXPECT_EQ(find("alias_maps = $alias_database\nalias_database = hash:/etc/aliases\n"),
            (Found{"hash:/etc/aliases alias_database alias_maps"}));
}

TEST_F(FindTables, LooksAtTheOptionsOfServices) {
  EXPECT_EQ(find("x = y\n", "smtp inet n - n - - smtpd\n  -o { transport_maps = hash:/only-here }\n"),
            (Found{"hash:/only-here transport_maps"}));
}

TEST_F(FindTables, ReadsTheFilesOfTableClients) {
  directory_.write("m.cf", "dbname = x\ndomain = hash:/domains\npassword = hash:/secret {\n");
  const std::string file = directory_.path("m.cf");
  EXPECT_EQ(find("virtual_mailbox_maps = mysql:" + file + "\n"),
            (Found{"hash:/domains virtual_mailbox_maps", "mysql:" + file + " virtual_mailbox_maps"}));
  for (const std::string& message : libconf::messages(warnings_))
    EXPECT_EQ(message.find("secret"), std::string::npos) << message;
}

TEST_F(FindTables, ReportsWhatCannotBeRead) {
  EXPECT_EQ(find("transport_maps = ldap:/absent.cf\nvirtual_alias_maps = ${\nrelay_domains = hash:/r\n"),
            (Found{"hash:/r relay_domains", "ldap:/absent.cf transport_maps"}));
  const std::vector<std::string> messages = libconf::messages(warnings_);
  EXPECT_NE(std::find(messages.begin(), messages.end(), "open /absent.cf: No such file or directory"),
            messages.end());
  EXPECT_TRUE(std::any_of(messages.begin(), messages.end(),
                          [](const std::string& m) { return m.starts_with("virtual_alias_maps: "); }));
}

TEST_F(FindTables, KnowsDefaultsFromWhatIsSet) {
  const auto document = libconf::MainCfDocument::load("/dev/null");
  const libconf::Settings settings(&*document, libconf::system_host());
  const std::vector<NamedTable> tables = find_tables(settings, nullptr, warnings_);
  EXPECT_FALSE(tables.empty());
  EXPECT_TRUE(
      std::none_of(tables.begin(), tables.end(), [](const NamedTable& table) { return table.is_set; }));
}

}  // namespace
}  // namespace libmaps
