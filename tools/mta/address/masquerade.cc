#include "tools/mta/address/masquerade.h"

#include <utility>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/daemon/waiting_table.h"

namespace mta {
namespace {

using libconf::equals_ignoring_case;
using libconf::Result;

bool is_or_is_below(std::string_view domain, std::string_view parent) {
  if (domain.size() < parent.size()) return false;
  const std::size_t start = domain.size() - parent.size();
  return equals_ignoring_case(domain.substr(start), parent) && (start == 0 || domain[start - 1] == '.');
}

}  // namespace

Result<Masquerade> Masquerade::from(const AddressContext& context) {
  const Result<AddressRoles> roles = address_roles("masquerade_classes", context.settings());
  if (!roles) return roles.error();
  auto exceptions =
      open_list("masquerade_exceptions", {.kind = libmaps::MatchKind::kStrings}, context.tables);
  if (!exceptions) return exceptions.error();
  const auto domains = context.settings().get_list("masquerade_domains");
  if (!domains) return domains.error();
  Masquerade masquerade(*roles, std::move(*exceptions));
  for (const std::string& word : *domains) {
    const bool is_excluded = word.starts_with('!');
    masquerade.domains_.push_back({word.substr(is_excluded ? 1 : 0), is_excluded});
  }
  return masquerade;
}

Result<std::string> Masquerade::hide(AddressRole role, std::string address) {
  const std::size_t at = address.rfind('@');
  if (!roles_.has(role) || at == std::string::npos) return address;
  const std::string_view domain = std::string_view(address).substr(at + 1);
  for (const Domain& each : domains_) {
    if (!is_or_is_below(domain, each.name)) continue;
    if (each.is_excluded || domain.size() == each.name.size()) return address;
    const Result<bool> is_exception = exceptions_.matches(unquote_address(address.substr(0, at)));
    if (!is_exception) return is_exception.error();
    if (!*is_exception) address.replace(at + 1, std::string::npos, each.name);
    return address;
  }
  return address;
}

}  // namespace mta
