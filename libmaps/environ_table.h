/// environ:ANY looks keys up among the environment variables (DATABASE_README).
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// Knows the variables that import_environment names, and those that it sets: the others are not for Postfix.
/// They are read now.
Result<std::unique_ptr<Table>> open_environ(std::string_view name, const TableContext& context);

}  // namespace libmaps
