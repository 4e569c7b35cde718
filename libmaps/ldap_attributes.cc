#include "libmaps/ldap_attributes.h"

#include <algorithm>

#include "libconf/text.h"

namespace libmaps {
namespace {

using libconf::equals_ignoring_case;

/// Whether `description` is the attribute `name`, or one of its subtypes by options (RFC 4512, 2.5).
bool covers(std::string_view name, std::string_view description) {
  return equals_ignoring_case(description.substr(0, name.size()), name) &&
         (description.size() == name.size() || description[name.size()] == ';');
}

bool is_among(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [name](std::string_view other) { return equals_ignoring_case(other, name); });
}

}  // namespace

void LdapAttributes::add(std::string_view list, Role role) {
  while (const auto name = libconf::next_word(list, libconf::kListSeparators)) {
    wanted_.push_back({.name = std::string(*name), .role = role});
    if (!is_among(names_, *name)) names_.emplace_back(*name);
  }
}

LdapAttributes::Role LdapAttributes::role_of(std::string_view description) const {
  Role role = Role::kNone;
  for (const Wanted& wanted : wanted_)
    if (wanted.role < role && covers(wanted.name, description)) role = wanted.role;
  return role;
}

bool LdapAttributes::is_special(std::string_view description) const {
  return std::any_of(wanted_.begin(), wanted_.end(), [description](const Wanted& wanted) {
    return wanted.role == Role::kSpecial && covers(wanted.name, description);
  });
}

std::vector<std::string> LdapAttributes::selected(std::span<const std::string> of_url) const {
  if (of_url.empty()) return names_;
  std::vector<std::string> both;
  for (const std::string& name : names_) {
    for (const std::string& other : of_url) {
      if (!covers(name, other) && !covers(other, name)) continue;
      // The one with more options asks for less.
      const std::string& narrower = other.size() > name.size() ? other : name;
      if (!is_among(both, narrower)) both.push_back(narrower);
    }
  }
  return both;
}

}  // namespace libmaps
