#include "tools/mta/address/address_context.h"

#include <string>
#include <utility>

#include "libconf/text.h"
#include "tools/mta/daemon/waiting_table.h"

namespace mta {

using libconf::Result;
using libmaps::AddressLookup;
using libmaps::MatchList;
using libmaps::Table;

Result<std::vector<std::unique_ptr<Table>>> open_tables(std::string_view parameter,
                                                        const AddressContext& context) {
  const Result<std::string> value = context.settings().get(parameter);
  if (!value) return value.error();
  std::vector<std::unique_ptr<Table>> tables;
  std::string_view rest = *value;
  while (const auto spec = libconf::next_braced_word(rest, libconf::kListSeparators)) {
    Result<std::unique_ptr<Table>> table = open_table(*spec, context.tables);
    if (!table) return table.error();
    tables.push_back(std::move(*table));
  }
  return tables;
}

Result<MatchList> open_list(std::string_view parameter, libmaps::MatchRules rules,
                            const AddressContext& context) {
  const Result<std::string> value = context.settings().get(parameter);
  if (!value) return value.error();
  return MatchList::parse(std::string(parameter), *value, rules,
                          [&context](std::string_view spec) { return open_table(spec, context.tables); });
}

Result<AddressLookup> open_lookup(std::string_view parameter, libmaps::LookupKind kind,
                                  const AddressContext& context, AddressLookup::IsLocalSite is_local_site) {
  auto tables = open_tables(parameter, context);
  if (!tables) return tables.error();
  auto rules = libmaps::address_rules(kind, context.settings());
  if (!rules) return rules.error();
  return AddressLookup(kind, std::move(*tables), std::move(*rules), std::move(is_local_site));
}

}  // namespace mta
