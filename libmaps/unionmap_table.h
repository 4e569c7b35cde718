/// unionmap:{type:name, type:name...} asks every table, and joins the answers with commas (DATABASE_README).
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

Result<std::unique_ptr<Table>> open_unionmap(std::string_view name, const TableContext& context);

}  // namespace libmaps
