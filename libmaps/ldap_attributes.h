/// Which attributes of a directory entry an `ldap:` table reads, and what for (ldap_table(5)).
///
///     LdapAttributes attributes;
///     attributes.add("maildrop", LdapAttributes::Role::kResult);
///     attributes.add("memberdn, memberurl", LdapAttributes::Role::kSpecial);
///     attributes.role_of("MailDrop;lang-de");  // kResult
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace libmaps {

/// The settings result_attribute, special_result_attribute, terminal_result_attribute and
/// leaf_result_attribute. Names are without regard to case; one without options ("mail") means those with
/// options ("mail;lang-de"), too.
class LdapAttributes {
 public:
  /// A name that is in several lists counts as in the first of these.
  enum class Role : std::uint8_t {
    kTerminal,  ///< An entry that has one gives these and nothing else.
    kLeaf,      ///< Values are results, unless the entry has a special attribute.
    kResult,    ///< Values are results.
    kSpecial,   ///< Values are names or URLs of more entries.
    kNone,
  };

  /// Adds the names in `list`, which are separated by blanks or commas.
  void add(std::string_view list, Role role);

  /// What to do with an attribute that an entry has.
  Role role_of(std::string_view description) const;

  /// Whether it is in special_result_attribute, whatever other list it is in.
  bool is_special(std::string_view description) const;

  /// What to ask a server for.
  const std::vector<std::string>& names() const { return names_; }

  /// What to ask a server for when a URL selects attributes (RFC 4516): those that it has in common with the
  /// table, with the options of either where one has no others. No selection at all selects all.
  std::vector<std::string> selected(std::span<const std::string> of_url) const;

 private:
  struct Wanted {
    std::string name;
    Role role;
  };
  std::vector<Wanted> wanted_;
  std::vector<std::string> names_;
};

}  // namespace libmaps
