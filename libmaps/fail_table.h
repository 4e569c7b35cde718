/// fail:ANY fails every request, for tests of what happens then (DATABASE_README).
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/index_update.h"
#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

Result<std::unique_ptr<Table>> open_fail(std::string_view name, const TableContext& context);
Result<std::unique_ptr<IterableTable>> open_iterable_fail(std::string_view name, const TableContext& context);
Result<std::unique_ptr<WritableTable>> open_writable_fail(std::string_view name, IfAbsent,
                                                          const TableContext& context);

}  // namespace libmaps
