/// Parts of a key as parameters of an SQL query, which is then compiled once for all keys.
///
///     std::optional<std::string> query = query_with_parameters(rules);   // "SELECT v FROM t WHERE k = ?"
///     rules.query_for(key, [&](std::string_view part, std::string&) { bind(++number, part); });
#pragma once

#include <optional>
#include <string>

#include "libmaps/query_template.h"

namespace libmaps {

/// The query of `rules` with `?` for each `'%s'` (or another part): a parameter that is a text gives the same
/// results as a literal. Nothing, when it has no conversion or one that stands otherwise, and when it has
/// anything by which what looks like a string, or a parameter, might be something else: comments, names in
/// quotes, parameters of its own. The syntax is that of SQLite (https://www.sqlite.org/lang_expr.html).
std::optional<std::string> query_with_parameters(const QueryRules& rules);

}  // namespace libmaps
