/// `mysql:` tables: a query to a MySQL or MariaDB server (mysql_table(5)).
///
///     hosts = unix:/run/mysqld/mysqld.sock inet:db.example.com:3306
///     user = postfix
///     password = secret
///     dbname = mail
///     query = SELECT target FROM aliases WHERE name = '%s'
#pragma once

#include <memory>

#include "libmaps/table.h"
#include "libmaps/table_config.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// Nothing is connected before the first lookup. Errors: kConfiguration and kSyntax, from the settings.
///
/// A lookup asks one server after the other, UNIX-domain sockets first, otherwise in random order, until one
/// answers. When none does, it fails with kTemporary and the system's reason, after a warning for each:
/// "connect to mysql server HOST: REASON", "mysql:NAME: query failed: REASON". No wait for a server is longer
/// than the setting `timeout`.
///
/// Where the query allows it (libmaps/sql_union.h), keys that were announced are asked for together; the
/// answers are those that each key would have alone.
Result<std::unique_ptr<Table>> make_mysql(const TableConfig& config, const TableContext& context);

}  // namespace libmaps
