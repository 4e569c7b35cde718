/// randmap:{value, value...} answers every key with one of its values, chosen at random (DATABASE_README).
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

Result<std::unique_ptr<Table>> open_randmap(std::string_view name, const TableContext& context);

}  // namespace libmaps
