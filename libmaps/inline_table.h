/// inline:{key=value, {key = text with blanks}} (DATABASE_README).
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// Of two entries with one key, the last counts. Errors: kSyntax.
Result<std::unique_ptr<IterableTable>> open_inline(std::string_view name, const TableContext& context);

}  // namespace libmaps
