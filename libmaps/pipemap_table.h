/// pipemap:{type:name, type:name...} asks the first table, and each next one with the answer
/// (DATABASE_README).
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// A table that does not know its key ends the search.
Result<std::unique_ptr<Table>> open_pipemap(std::string_view name, const TableContext& context);

}  // namespace libmaps
