/// debug:TYPE:NAME asks another table, and reports what it was asked and said (DATABASE_README).
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// The reports have Severity::kInfo.
Result<std::unique_ptr<Table>> open_debug(std::string_view name, const TableContext& context);

}  // namespace libmaps
