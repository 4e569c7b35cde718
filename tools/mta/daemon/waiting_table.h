/// Tables for sessions that share an event loop: a lookup that waits for a server holds up nobody else.
///
///     auto table = mta::open_table("mysql:/etc/postfix/aliases.cf", context);
///     (*table)->lookup(key);   // other sessions go on meanwhile, see event_loop.h
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "libmaps/match_list.h"
#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace mta {

/// As libmaps::open(); but a table that cannot be opened is no reason not to serve: the sink is told the
/// error, and each lookup tries again, with a warning and a kConfiguration error when that fails. The error
/// that is left is a `spec` that is no "type:name". Where the type asks a server, or one of its parts does,
/// the table is opened again for each lookup that comes while the others are under way; the sink then gets
/// what lookups warn of in the thread of the lookup, and must be thread-safe. Whether a `proxy:` table is
/// available turns out at the first lookup.
libconf::Result<std::unique_ptr<libmaps::Table>> open_table(std::string_view spec,
                                                            const libmaps::TableContext& context);

/// The tables that a parameter such as canonical_maps names, opened. Errors: as Settings::get() and
/// open_table().
libconf::Result<std::vector<std::unique_ptr<libmaps::Table>>> open_tables(
    std::string_view parameter, const libmaps::TableContext& context);

/// The list of names, domains or networks that a parameter such as mydestination holds. Errors: as
/// Settings::get() and MatchList::parse().
libconf::Result<libmaps::MatchList> open_list(std::string_view parameter, libmaps::MatchRules rules,
                                              const libmaps::TableContext& context);

}  // namespace mta
