/// Opens lookup tables by their `type:name`, with everything that is the same for all types: the registry,
/// key folding, UTF-8 checks, base64 values (DATABASE_README, postmap(1)).
///
///     libmaps::TableContext context{.settings = settings, .warnings = sink};
///     auto table = libmaps::open("hash:/etc/postfix/access", context);
///
/// All functions are thread-safe, as far as settings and sink are. Errors are worded as Postfix words them:
/// kConfiguration for a bad or unknown `type:name`, otherwise what opening the table gives.
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/index_update.h"
#include "libmaps/table.h"
#include "libmaps/table_context.h"
#include "libmaps/table_types.h"

namespace libmaps {

/// The two parts of `type:name`, as views into the text.
struct TableSpec {
  std::string_view type;
  std::string_view name;
};

/// Splits `type:name`. A text without a colon names a table of `default_type` (default_database_type).
/// Errors: one of the parts is empty.
Result<TableSpec> parse_spec(std::string_view text, std::string_view default_type);

/// Whether tables of the type can be opened: it needs no module, or its module is there.
bool is_installed(const TableType& type);

/// A table to ask. See Table for what it promises.
Result<std::unique_ptr<Table>> open(TableSpec spec, const TableContext& context);

/// The same for a text that must have a type.
Result<std::unique_ptr<Table>> open(std::string_view spec, const TableContext& context);

/// A table to list. Errors also: the type cannot, "table TYPE:NAME: sequence operation is not supported".
Result<std::unique_ptr<IterableTable>> open_iterable(TableSpec spec, const TableContext& context);

/// A table to change entries of. Errors also: the type cannot.
Result<std::unique_ptr<WritableTable>> open_writable(TableSpec spec, IfAbsent if_absent,
                                                     const TableContext& context);

}  // namespace libmaps
