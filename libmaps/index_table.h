/// The tables that have an index file: hash, btree, cdb, lmdb (DATABASE_README). `name` is that of the
/// source, the index has its suffix.
///
/// Lookups take the shared lock of the type, one lookup at a time or for a hold(). A file that has changed,
/// or that another one has taken the place of, is read anew. Errors of opening: kInputOutput, "open database
/// FILE: REASON"; kDataCorrupt and kUnsupported, "open database FILE: not a Berkeley DB hash file".
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

Result<std::unique_ptr<IterableTable>> open_btree(std::string_view name, const TableContext& context);
Result<std::unique_ptr<IterableTable>> open_cdb(std::string_view name, const TableContext& context);
Result<std::unique_ptr<IterableTable>> open_hash(std::string_view name, const TableContext& context);
Result<std::unique_ptr<IterableTable>> open_lmdb(std::string_view name, const TableContext& context);

}  // namespace libmaps
