/// One SQL statement that asks for several keys: the server then plans, sends and wakes its client once for
/// all of them.
///
///     if (can_join("SELECT target FROM aliases WHERE name = '%s'"))
///       join_selects({"SELECT target FROM aliases WHERE name = 'joe'", ...}, 1);
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace libmaps {

/// Whether each query of this template (mysql_table(5), `query`) gives the same rows alone as it does as a
/// branch of join_selects(), provided that the server takes the joined statement at all and that all columns
/// are texts or integers. True for a single SELECT whose key is inside of '' quotes after FROM, and that has
/// nothing of what a branch takes a different meaning from (ORDER, GROUP), or what is for the server
/// to do rather than to find (INTO, FOR UPDATE, variables, functions other than well-known ones). The text is
/// understood the same way with any sql_mode; what is not understood is not accepted.
bool can_join(std::string_view query);

/// The queries as branches of a UNION ALL: "(SELECT 0, target FROM ...) UNION ALL (SELECT 1,NULL)". The first
/// column of a row is the number of its query, from 0; the last row has the number of queries there, and NULL
/// in the `columns` columns that each query gives. Without that row, the result is not complete. REQUIRES:
/// can_join() of the template of the queries.
std::string join_selects(std::span<const std::string> queries, std::size_t columns);

}  // namespace libmaps
