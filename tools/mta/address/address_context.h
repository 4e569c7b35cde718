/// What the objects of this folder are made from.
///
///     mta::AddressContext context{.tables = {.settings = settings, .warnings = sink}, .host = host};
///     auto canonical = mta::CanonicalMapping::from(context, rewriting, domains);
#pragma once

#include <string_view>

#include "libconf/host.h"
#include "libmaps/address_lookup.h"
#include "libmaps/table_context.h"

namespace mta {

/// Settings, sink and host must outlive what is made from them.
struct AddressContext {
  libmaps::TableContext tables;
  const libconf::Host& host;  ///< For inet_interfaces and proxy_interfaces.

  const libconf::Settings& settings() const { return tables.settings; }
};

/// The tables of a parameter, asked with the keys of `kind`. Without `is_local_site` no domain is the site's.
/// Errors: as open_tables().
libconf::Result<libmaps::AddressLookup> open_lookup(std::string_view parameter, libmaps::LookupKind kind,
                                                    const AddressContext& context,
                                                    libmaps::AddressLookup::IsLocalSite is_local_site = {});

}  // namespace mta
