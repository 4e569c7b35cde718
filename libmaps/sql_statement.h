/// What can be told of an SQL query from its template alone, by the lexical rules of PostgreSQL (chapter "SQL
/// Syntax" of its manual).
///
///     sql_traits("SELECT v FROM t WHERE k = '%u' AND d LIKE '%%.%d'").statement
///         ->text        "SELECT v FROM t WHERE k =  $1  AND d LIKE  $2 "
///         ->parameters  {"%u", "%%.%d"}
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace libmaps {

/// One statement, in which "$1", "$2" ... stand for texts.
struct SqlStatement {
  std::string text;                     ///< No template any more.
  std::vector<std::string> parameters;  ///< Their templates (query_template.h); without SQL's quoting.
};

struct SqlTraits {
  /// Present where the query certainly is one statement that begins with SELECT, VALUES or WITH, and its
  /// conversions all stand inside plain '' quotes.
  std::optional<SqlStatement> statement;
  /// A conversion stands in an E'' string, where backslashes escape whatever the server's settings are.
  bool has_key_in_escape_string = false;
};

/// `query` is a template (query_template.h).
SqlTraits sql_traits(std::string_view query);

}  // namespace libmaps
