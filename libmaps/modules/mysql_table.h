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
#include <string_view>

#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// `name` is the file of the settings, or the prefix of those in main.cf (libmaps/table_config.h). Nothing is
/// connected before the first lookup. Errors: kConfiguration and kSyntax, from the settings.
///
/// A lookup tries the hosts one after the other, UNIX-domain sockets first, otherwise in random order. It
/// fails with kTemporary and a reason, after a warning for each host, "connect to mysql server HOST: REASON",
/// when none answers.
Result<std::unique_ptr<Table>> open_mysql(std::string_view name, const TableContext& context);

}  // namespace libmaps
