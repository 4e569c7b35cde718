#include "libmaps/ldap_attributes.h"

#include <gtest/gtest.h>

namespace libmaps {
namespace {

using Role = LdapAttributes::Role;
using Names = std::vector<std::string>;

LdapAttributes attributes(std::string_view terminal, std::string_view leaf, std::string_view result,
                          std::string_view special) {
  LdapAttributes made;
  made.add(terminal, Role::kTerminal);
  made.add(leaf, Role::kLeaf);
  made.add(result, Role::kResult);
  made.add(special, Role::kSpecial);
  return made;
}

TEST(LdapAttributes, HaveRoles) {
  const LdapAttributes all = attributes("host", "mail", "maildrop, addr", "dn\turl");
  static constexpr std::pair<std::string_view, Role> kCases[] = {
      {"host", Role::kTerminal}, {"HOST", Role::kTerminal},
      {"mail", Role::kLeaf},     {"maildrop", Role::kResult},
      {"addr", Role::kResult},   {"dn", Role::kSpecial},
      {"url", Role::kSpecial},   {"mail;lang-de", Role::kLeaf},
      {"mai", Role::kNone},      {"mails", Role::kNone},
      {"", Role::kNone},         {"mail.x", Role::kNone},
  };
  for (const auto& [name, role] : kCases) EXPECT_EQ(all.role_of(name), role) << name;
  EXPECT_TRUE(all.is_special("DN"));
  EXPECT_FALSE(all.is_special("mail"));
  EXPECT_EQ(all.names(), (Names{"host", "mail", "maildrop", "addr", "dn", "url"}));
}

// As Postfix 3.7 treats them.
TEST(LdapAttributes, CountInTheFirstListThatHasThem) {
  EXPECT_EQ(attributes("a", "a", "a", "a").role_of("a"), Role::kTerminal);
  EXPECT_EQ(attributes("", "a", "a", "a").role_of("a"), Role::kLeaf);
  EXPECT_EQ(attributes("", "", "a", "a").role_of("a"), Role::kResult);
  EXPECT_TRUE(attributes("a", "a", "a", "a").is_special("a"));
  EXPECT_EQ(attributes("a", "A", "a", "a").names(), Names{"a"});
}

TEST(LdapAttributes, WithOptionsMeanNoOthers) {
  const LdapAttributes german = attributes("", "", "mail;lang-de", "");
  EXPECT_EQ(german.role_of("mail;lang-de"), Role::kResult);
  EXPECT_EQ(german.role_of("MAIL;lang-DE;x-a"), Role::kResult);
  EXPECT_EQ(german.role_of("mail"), Role::kNone);
  EXPECT_EQ(german.role_of("mail;lang-en"), Role::kNone);
}

// ldap_table(5), special_result_attribute: "If an LDAP URL attribute-descriptor or the corresponding Postfix
// LDAP table result attribute (but not both) uses RFC 2255 sub-type options".
TEST(LdapAttributes, AreSelectedByUrls) {
  static const struct {
    std::string_view table;
    Names url;
    Names expected;
  } kCases[] = {
      {"mail, maildrop", {}, {"mail", "maildrop"}},
      {"mail, maildrop", {"MailDrop", "cn"}, {"maildrop"}},
      {"mail", {"cn"}, {}},
      {"mail", {"*"}, {}},
      {"mail", {"mail;lang-de"}, {"mail;lang-de"}},
      {"mail;lang-de", {"mail"}, {"mail;lang-de"}},
      {"mail;lang-de", {"mail;LANG-de"}, {"mail;lang-de"}},
      {"mail;lang-de", {"mail;lang-en"}, {}},
      {"mail;lang-de", {"mail;lang-de;lang-en"}, {"mail;lang-de;lang-en"}},
      {"mail;lang-de;lang-en", {"mail;lang-de"}, {"mail;lang-de;lang-en"}},
      {"mail", {"mail;lang-de", "mail"}, {"mail;lang-de", "mail"}},
  };
  for (const auto& [table, url, expected] : kCases)
    EXPECT_EQ(attributes("", "", table, "").selected(url), expected) << table;
}

}  // namespace
}  // namespace libmaps
