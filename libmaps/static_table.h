/// static:VALUE answers every key with VALUE; static:{VALUE} keeps blanks in it (DATABASE_README).
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// Errors: kSyntax, text after the closing brace.
Result<std::unique_ptr<Table>> open_static(std::string_view name, const TableContext& context);

}  // namespace libmaps
