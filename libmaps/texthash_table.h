/// texthash:FILE reads the source of an indexed table, and needs no index (DATABASE_README).
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// Of two entries with one key, the first counts. Errors: kInputOutput, "open database FILE: REASON".
Result<std::unique_ptr<IterableTable>> open_texthash(std::string_view name, const TableContext& context);

}  // namespace libmaps
