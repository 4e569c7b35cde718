#include "tools/postmap/case_lookup.h"

#include "libconf/host.h"
#include "libconf/text.h"
#include "libmaps/ip_address.h"
#include "libmaps/open.h"
#include "tools/mta/address/local_domains.h"

namespace postmap {
namespace {

using libconf::Result;
using libmaps::AddressLookup;
using libmaps::AddressMatch;
using libmaps::Table;
using Subject = CaseKeys::Subject;

/// The name and the address of a client, `name[address]`; what is not there is empty.
std::pair<std::string_view, std::string_view> split_client(std::string_view client) {
  const std::size_t bracket = client.find('[');
  if (client.ends_with(']') && bracket != std::string_view::npos)
    return {client.substr(0, bracket), client.substr(bracket + 1, client.size() - bracket - 2)};
  if (libmaps::parse_ip_address(client)) return {"", client};
  return {client, ""};
}

/// check_client_access asks for the name and its parents, then for the address and its networks (access(5)).
Result<std::optional<AddressMatch>> find_client(AddressLookup& lookup, std::string_view client) {
  const auto [name, address] = split_client(client);
  if (!name.empty()) {
    auto match = lookup.find_host(name);
    if (!match || *match) return match;
  }
  const auto parsed = libmaps::parse_ip_address(address);
  if (!parsed) return std::optional<AddressMatch>();
  return lookup.find_client(*parsed);
}

Result<std::optional<AddressMatch>> find_key(const std::vector<std::unique_ptr<Table>>& tables,
                                             const std::string& key) {
  for (const std::unique_ptr<Table>& table : tables) {
    auto value = table->lookup(key);
    if (!value) return value.error();
    if (!*value) continue;
    std::optional<AddressMatch> match(std::in_place);
    match->value = std::move(**value);
    match->key.text = key;
    match->table = table->name();
    return match;
  }
  return std::optional<AddressMatch>();
}

}  // namespace

Result<void> CaseLookup::open(const CaseKeys& keys, std::string_view tables, Opened& opened) {
  while (const auto text = libconf::next_braced_word(tables, libconf::kListSeparators)) {
    const Result<libmaps::TableSpec> spec = session_.parse_table(*text);
    if (!spec) return spec.error();
    auto table = libmaps::open(*spec, session_.context());
    if (!table) return table.error();
    opened.tables.push_back(std::move(*table));
  }
  if (keys.subject == Subject::kKey) return {};
  Result<libmaps::AddressRules> rules = libmaps::address_rules(keys.kind, session_.settings());
  if (!rules) return rules.error();
  const libconf::Host host = libconf::system_host();
  auto domains = mta::LocalDomains::from({.tables = session_.context(), .host = host});
  if (!domains) return domains.error();
  opened.lookup = std::make_unique<AddressLookup>(keys.kind, std::move(opened.tables), std::move(*rules),
                                                  mta::is_site_of(std::move(*domains)));
  return {};
}

CaseLookup::Opened& CaseLookup::open(const CaseKeys& keys, std::string_view tables) {
  const auto [entry, is_new] = opened_.try_emplace(std::pair(keys.name, std::string(tables)));
  Opened& opened = entry->second;
  if (is_new)
    if (const Result<void> done = open(keys, tables, opened); !done) opened.error = done.error();
  return opened;
}

Result<CaseLookup::Match> CaseLookup::find(const TableCase& each, const Opened& opened) {
  if (opened.error) return *opened.error;
  switch (each.keys->subject) {
    case Subject::kAddress:
      return opened.lookup->find(each.key);
    case Subject::kHost:
      return opened.lookup->find_host(each.key);
    case Subject::kClient:
      return find_client(*opened.lookup, each.key);
    case Subject::kKey:
      break;
  }
  return find_key(opened.tables, each.key);
}

CaseAnswer CaseLookup::ask(const TableCase& each, std::string_view tables) {
  using Kind = CaseResult::Kind;
  auto match = find(each, open(*each.keys, tables));
  if (!match) return {{Kind::kError, match.error().message}};
  if (!*match) return {{Kind::kNotFound}};
  return {
      {Kind::kValue, std::move((*match)->value)}, std::move((*match)->key.text), std::move((*match)->table)};
}

}  // namespace postmap
