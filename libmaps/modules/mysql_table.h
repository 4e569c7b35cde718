/// `mysql:` tables: a query to a MySQL or MariaDB server (mysql_table(5)).
///
///     hosts = unix:/run/mysqld/mysqld.sock inet:db.example.com:3306
///     user = postfix
///     password = secret
///     dbname = mail
///     query = SELECT target FROM aliases WHERE name = '%s'
///
/// Not there yet: retry_interval and idle_interval (a host that failed is tried at each lookup, and a
/// connection is kept until it fails), option_file and option_group, TLS, stored procedures that give several
/// result sets.
#pragma once

#include <memory>

#include "libmaps/table.h"
#include "libmaps/table_config.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// Nothing is
/// connected before the first lookup. Errors: kConfiguration and kSyntax, from the settings.
///
/// A lookup tries the hosts one after the other, UNIX-domain sockets first, otherwise in random order. It
/// fails with kTemporary and a reason, after a warning for each host, "connect to mysql server HOST: REASON",
/// when none answers.
Result<std::unique_ptr<Table>> make_mysql(const TableConfig& config, const TableContext& context);

}  // namespace libmaps
