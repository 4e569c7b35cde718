/// `cidr:` tables: networks and their values, the first match counts (cidr_table(5)).
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// Opens and reads `name`, a file or inline rules `{ {rule}, {rule} }`. Rules that cannot be read are
/// reported to the context's sink, and skipped. A key is an address without brackets; anything else is not
/// found. Lookups never fail. Errors: kInputOutput for the file, kSyntax for the braces of inline rules.
Result<std::unique_ptr<Table>> open_cidr(std::string_view name, const TableContext& context);

}  // namespace libmaps
