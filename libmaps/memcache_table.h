/// `memcache:` tables: a memcached server, perhaps before another table (memcache_table(5)).
///
///     memcache = inet:127.0.0.1:11211
///     backup = btree:/var/lib/postfix/postscreen_cache
///     key_format = postscreen:%s
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/index_update.h"
#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// Errors, for all three: kConfiguration and kSyntax, from the settings and from opening the backup table,
/// which is of the same capability. Nothing is connected before the first request.
///
/// A lookup asks the server; the backup table, where there is one, for what the server does not have or could
/// not tell, and then gives the value to the server. Without a backup it fails with kTemporary and a reason
/// when the server could not tell, after a warning. A key that has white space (after key_format), or lacks a
/// part that key_format needs, or is in none of the domains, is in no memcache table.
Result<std::unique_ptr<Table>> open_memcache(std::string_view name, const TableContext& context);

/// Lists the backup table. Without one there is nothing to list, and for_each() warns of it.
Result<std::unique_ptr<IterableTable>> open_iterable_memcache(std::string_view name,
                                                              const TableContext& context);

/// Changes the server and the backup table. Where there is a backup, its answers count, and what the server
/// refuses gives a warning alone.
Result<std::unique_ptr<WritableTable>> open_writable_memcache(std::string_view name, IfAbsent if_absent,
                                                              const TableContext& context);

}  // namespace libmaps
