#include "tools/mta/address/address_context.h"

#include <utility>

#include "tools/mta/daemon/waiting_table.h"

namespace mta {

using libconf::Result;
using libmaps::AddressLookup;

Result<AddressLookup> open_lookup(std::string_view parameter, libmaps::LookupKind kind,
                                  const AddressContext& context, AddressLookup::IsLocalSite is_local_site) {
  auto tables = open_tables(parameter, context.tables);
  if (!tables) return tables.error();
  auto rules = libmaps::address_rules(kind, context.settings());
  if (!rules) return rules.error();
  return AddressLookup(kind, std::move(*tables), std::move(*rules), std::move(is_local_site));
}

}  // namespace mta
