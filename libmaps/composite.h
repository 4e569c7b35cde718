/// The `{...}` of tables that are made in their name: inline:{...}, pipemap:{...}, unionmap:{...},
/// randmap:{...}.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// The words between the outer braces; braces inside keep theirs together. Errors: kSyntax, `bad syntax:
/// "TYPE:NAME"; need "TYPE:{WHAT...}"`, also when there is no word.
Result<std::vector<std::string_view>> braced_words(std::string_view type, std::string_view name,
                                                   std::string_view what);

/// Opens the tables that the words of `type:{type:name...}` name, in order.
Result<std::vector<std::unique_ptr<Table>>> open_members(std::string_view type, std::string_view name,
                                                         const TableContext& context);

}  // namespace libmaps
