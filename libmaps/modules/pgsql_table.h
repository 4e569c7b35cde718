/// `pgsql:` tables: a query to a PostgreSQL server (pgsql_table(5)).
///
///     hosts = unix:/run/postgresql postgresql://mail:secret@db2.example.com/mail?sslmode=verify-full
///     user = mail
///     password = secret
///     dbname = mail
///     query = SELECT target FROM aliases WHERE name = '%s'
///
/// Keys that are announced (Table::expect) are asked for together where the query is one statement that reads
/// or changes rows; each in a transaction of its own, as if it were alone.
#pragma once

#include <memory>

#include "libmaps/table.h"
#include "libmaps/table_config.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// Nothing is connected before the first lookup. Errors: kConfiguration and kSyntax, from the settings.
///
/// A lookup tries the hosts one after the other, UNIX-domain sockets first, otherwise in random order. It
/// fails with kTemporary and a reason, after a warning for each host, when none answers: "connect to pgsql
/// server HOST: REASON", "pgsql query failed: fatal error from host HOST: REASON".
Result<std::unique_ptr<Table>> make_pgsql(const TableConfig& config, const TableContext& context);

}  // namespace libmaps
