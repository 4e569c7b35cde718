/// What the objects of this folder are made from.
///
///     mta::AddressContext context{.tables = {.settings = settings, .warnings = sink}, .host = host};
///     auto canonical = mta::CanonicalMapping::from(context, rewriting, domains);
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "libconf/host.h"
#include "libmaps/address_lookup.h"
#include "libmaps/match_list.h"
#include "libmaps/table_context.h"

namespace mta {

/// Settings, sink and host must outlive what is made from them.
struct AddressContext {
  libmaps::TableContext tables;
  const libconf::Host& host;  ///< For inet_interfaces and proxy_interfaces.

  const libconf::Settings& settings() const { return tables.settings; }
};

/// The tables that a parameter such as canonical_maps names, opened. Errors: as Settings::get() and
/// libmaps::open().
libconf::Result<std::vector<std::unique_ptr<libmaps::Table>>> open_tables(std::string_view parameter,
                                                                          const AddressContext& context);

/// The list of names or domains that a parameter such as mydestination holds. Errors: as Settings::get() and
/// MatchList::parse().
libconf::Result<libmaps::MatchList> open_list(std::string_view parameter, libmaps::MatchRules rules,
                                              const AddressContext& context);

/// The tables of a parameter, asked with the keys of `kind`. Without `is_local_site` no domain is the site's.
/// Errors: as open_tables().
libconf::Result<libmaps::AddressLookup> open_lookup(std::string_view parameter, libmaps::LookupKind kind,
                                                    const AddressContext& context,
                                                    libmaps::AddressLookup::IsLocalSite is_local_site = {});

}  // namespace mta
