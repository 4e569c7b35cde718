/// The setting that SQL clients share: the query, or what it is made of (sqlite_table(5), OBSOLETE QUERY
/// INTERFACE).
#pragma once

#include <string>
#include <string_view>

#include "libconf/result.h"
#include "libmaps/table_config.h"

namespace libmaps {

/// The template of the query: `query`, or one made of select_field, table, where_field and
/// additional_conditions when that is empty. The sink gets a warning, worded for `table` ("sqlite:./q.cf"),
/// of each conversion outside '' quotes: there, SQL quoting protects nothing. Errors: kConfiguration.
libconf::Result<std::string> read_sql_query(const TableConfig& config, std::string_view table,
                                            libconf::DiagnosticSink& warnings);

}  // namespace libmaps
