#include "libmaps/sql_query.h"

#include "libconf/text.h"

namespace libmaps {

using libconf::concat;
using libconf::DiagnosticSink;
using libconf::Result;

namespace {

void warn_of_unquoted(std::string_view query, std::string_view table, DiagnosticSink& warnings) {
  bool is_quoted = false;
  for (std::size_t i = 0; i < query.size(); ++i) {
    if (query[i] == '\'') is_quoted = !is_quoted;
    if (query[i] != '%' || i + 1 == query.size()) continue;
    const std::string_view conversion = query.substr(i, 2);
    ++i;
    if (is_quoted || conversion == "%%") continue;
    warnings.warn("unquoted-conversion", concat(table, ": query >", query, "< contains >", conversion,
                                                "< without the recommended '' quotes"));
  }
}

Result<std::string> query_of_parts(const TableConfig& config) {
  Result<std::string> table = config.get_string("table", "", {.min = 1});
  if (!table) return table;
  Result<std::string> select = config.get_string("select_field", "", {.min = 1});
  if (!select) return select;
  Result<std::string> where = config.get_string("where_field", "", {.min = 1});
  if (!where) return where;
  Result<std::string> conditions = config.get_string("additional_conditions", "");
  if (!conditions) return conditions;
  return concat("SELECT ", *select, " FROM ", *table, " WHERE ", *where, "='%s' ", *conditions);
}

}  // namespace

Result<std::string> read_sql_query(const TableConfig& config, std::string_view table,
                                   DiagnosticSink& warnings) {
  Result<std::string> query = config.get_string("query", "");
  if (query && query->empty()) query = query_of_parts(config);
  if (query) warn_of_unquoted(*query, table, warnings);
  return query;
}

}  // namespace libmaps
