/// `sqlite:` tables: a query to an SQLite database (sqlite_table(5)).
///
///     dbpath = /etc/postfix/aliases.db
///     query = SELECT target FROM aliases WHERE name = '%s'
#pragma once

#include <memory>

#include "libmaps/table.h"
#include "libmaps/table_config.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// The database is opened for reading only, and is locked during a lookup, or from the first one after hold()
/// to release(). A lookup waits for a writer, five seconds at most. Where each part of the key is a string of
/// its own in the query, the query is compiled once (libmaps/sql_parameters.h). Errors: kConfiguration and
/// kSyntax from the settings; kInputOutput, "sqlite:NAME: open database FILE: REASON".
///
/// Lookups fail with kTemporary and a reason after a warning that tells more, also when the database stays
/// locked; a query that SQLite rejects is kSyntax, and its message is complete: "dict_sqlite_lookup: NAME:
/// SQL prepare failed: ...".
Result<std::unique_ptr<Table>> make_sqlite(const TableConfig& config, const TableContext& context);

}  // namespace libmaps
