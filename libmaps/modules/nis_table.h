/// `nis:` tables: a map of the Network Information Service (nis_table(5)), such as nis:mail.aliases.
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// The map `name` in the NIS domain of this host (domainname(1)); see libmaps/nis_lookup.h. Nobody is asked
/// before the first lookup. The client library, libnsl, prints on stderr when a server does not answer.
Result<std::unique_ptr<Table>> open_nis(std::string_view name, const TableContext& context);

}  // namespace libmaps
