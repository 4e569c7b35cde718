/// internal:ANY is a table in memory, empty at first; it ends with its owner (DATABASE_README).
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/index_update.h"
#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

Result<std::unique_ptr<Table>> open_internal(std::string_view name, const TableContext& context);
Result<std::unique_ptr<IterableTable>> open_iterable_internal(std::string_view name,
                                                              const TableContext& context);
Result<std::unique_ptr<WritableTable>> open_writable_internal(std::string_view name, IfAbsent,
                                                              const TableContext& context);

}  // namespace libmaps
