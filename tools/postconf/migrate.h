/// --migrate-db TYPE: from Berkeley DB to another type of index, in all files at once.
#pragma once

#include <span>
#include <string_view>

#include "libconf/result.h"
#include "tools/postconf/run.h"

namespace postconf {

/// The types that --migrate-db takes.
std::span<const std::string_view> migration_targets();

/// Reports what would change, and with --apply changes it. Errors: what MigrationPlan has; an index without a
/// source; an index that cannot be built; a file that cannot be replaced.
libconf::Result<int> migrate_databases(const Options& options, Console& console);

}  // namespace postconf
