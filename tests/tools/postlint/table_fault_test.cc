#include "tools/postlint/table_fault.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "libmaps/cidr_rules.h"
#include "tests/tools/postlint/scratch_site.h"
#include "tools/postlint/table_purpose.h"

namespace postlint {
namespace {

std::set<int> lines_of(const SiteModel& site, TableFaultKind kind) {
  std::set<int> lines;
  for (const TableFault& fault : site.table_faults())
    if (fault.kind == kind) lines.insert(fault.place.line);
  return lines;
}

constexpr std::string_view kClients =
    "smtpd_client_restrictions = check_client_access cidr:/etc/postfix/clients\n";

/// All networks are in one of 32 addresses, so that each can be asked for.
constexpr std::uint32_t kFirst = 0xC0000200;
constexpr std::uint32_t kAddresses = 32;

std::string random_network(std::minstd_rand& random) {
  const int length = 27 + static_cast<int>(random() % 6);
  const std::uint32_t address = (kFirst + static_cast<std::uint32_t>(random() % kAddresses)) &
                                libmaps::prefix_mask(libmaps::Ipv4Address{}, length).bits;
  return libmaps::to_string(libmaps::Ipv4Address{address}) + "/" + std::to_string(length);
}

/// A table whose lines have results of their own: their numbers.
std::vector<std::string> random_table(std::minstd_rand& random) {
  std::vector<std::string> lines;
  bool is_open = false;
  for (int i = 0; i < 9; ++i) {
    const auto choice = random() % 8;
    if (choice == 0 && !is_open) {
      lines.push_back("if " + random_network(random));
      is_open = true;
    } else if (choice == 1 && is_open) {
      lines.push_back("endif");
      is_open = false;
    } else {
      lines.push_back(random_network(random) + " " + std::to_string(lines.size() + 1));
    }
  }
  if (is_open) lines.push_back("endif");
  return lines;
}

TEST(TableFaultTest, ShadowedNetworksAreThoseThatNoAddressFinds) {
  std::minstd_rand random(7);
  for (int round = 0; round < 300; ++round) {
    const std::vector<std::string> lines = random_table(random);
    std::string text;
    std::set<int> never;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      text += lines[i] + "\n";
      if (lines[i][0] == '1') never.insert(static_cast<int>(i + 1));
    }
    auto reader = libmaps::SourceReader::from_text("clients", text);
    libconf::DiagnosticDiscard discard;
    const auto rules = libmaps::read_cidr_rules(reader, discard);
    ASSERT_TRUE(rules);
    for (std::uint32_t i = 0; i < kAddresses; ++i)
      if (const auto value = libmaps::find_linear(rules->ipv4, libmaps::Ipv4Address{kFirst + i}))
        never.erase(std::stoi(rules->text(*value)));
    const ScratchSite site({{"main.cf", std::string(kClients)}, {"clients", text}});
    EXPECT_EQ(lines_of(*site, TableFaultKind::kShadowed), never) << text;
  }
}

TEST(TableFaultTest, KeepsTheFirstFewOfAKind) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "a@example.org b\n";
  const ScratchSite site(
      {{"main.cf", "virtual_alias_maps = hash:/etc/postfix/virtual\n"}, {"virtual", text}});
  const auto& faults = site->table_faults();
  ASSERT_EQ(faults.size(), 10U);
  EXPECT_EQ(faults[0].message, "\"a@example.org\" is in line 1, whose value counts");
  EXPECT_TRUE(faults[9].message.ends_with(" (and so on: 999 in all)")) << faults[9].message;
}

TEST(TableFaultTest, FindsEachDuplicateOfMany) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "user" + std::to_string(i) + "@example.org x\n";
  text += "USER4711@example.org y\n";
  const ScratchSite site(
      {{"main.cf", "virtual_alias_maps = hash:/etc/postfix/virtual\n"}, {"virtual", text}});
  EXPECT_EQ(lines_of(*site, TableFaultKind::kDuplicateKey), std::set<int>{5001});
}

TEST(TablePurposeTest, KeysOfOtherTablesAreDead) {
  struct Case {
    TablePurpose purpose;
    std::string_view key;
    bool is_dead;
  };
  for (const Case& c : {
           Case{TablePurpose::kAddress, "user@example.org", false},
           Case{TablePurpose::kAddress, "@example.org", false},
           Case{TablePurpose::kAddress, "user@", true},
           Case{TablePurpose::kAddress, ".example.org", true},
           Case{TablePurpose::kTransport, "example.org", false},
           Case{TablePurpose::kTransport, ".example.org", false},
           Case{TablePurpose::kTransport, "*", false},
           Case{TablePurpose::kTransport, "*.example.org", true},
           Case{TablePurpose::kTransport, "@example.org", true},
           Case{TablePurpose::kAccessAddress, "user@", false},
           Case{TablePurpose::kAccessAddress, "@example.org", true},
           Case{TablePurpose::kAccessHost, "192.0.2", false},
           Case{TablePurpose::kAccessHost, "192.0.2.", true},
           Case{TablePurpose::kAccessHost, "192.0.2.0/24", true},
           Case{TablePurpose::kAccessHost, "user@example.org", true},
           Case{TablePurpose::kDomains, "example.org", false},
           Case{TablePurpose::kDomains, "user@example.org", true},
           Case{TablePurpose::kPasswords, "[mail.example.org]:587", false},
           Case{TablePurpose::kPasswords, "user@example.org", true},
           Case{TablePurpose::kUnknown, "*@", false},
       })
    EXPECT_EQ(!dead_key_reason(c.key, {{.purpose = c.purpose}}).empty(), c.is_dead) << c.key;
}

TEST(TablePurposeTest, AKeyThatOneUseFindsIsAlive) {
  EXPECT_EQ(dead_key_reason("user@example.org",
                            {{.purpose = TablePurpose::kDomains}, {.purpose = TablePurpose::kAddress}}),
            "");
}

}  // namespace
}  // namespace postlint
