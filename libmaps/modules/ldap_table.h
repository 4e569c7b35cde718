/// `ldap:` tables: searches in a directory (ldap_table(5)).
///
///     server_host = ldap://db1.example.com ldap://db2.example.com
///     search_base = dc=example, dc=com
///     query_filter = (mail=%s)
///     result_attribute = maildrop
#pragma once

#include <memory>

#include "libmaps/table.h"
#include "libmaps/table_config.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// Nothing is connected before the first lookup. Keys that are announced are searched for together, over one
/// connection; entries that others refer to are asked for one by one. Errors: kConfiguration and kSyntax,
/// from the settings.
///
/// A lookup tries the servers in their order. It is repeated once when it was the connection of an earlier
/// lookup that broke or fell silent. It fails with kTemporary and a reason, after warnings that name table
/// and server.
Result<std::unique_ptr<Table>> make_ldap(const TableConfig& config, const TableContext& context);

}  // namespace libmaps
