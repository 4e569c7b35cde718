/// Changing index files in place: hash, btree, lmdb (postmap -i, -d).
///
/// The exclusive lock is held from opening to finish(). Errors of opening as in libmaps/index_table.h. A file
/// is checked before the library that changes it is let loose on it.
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// What to do where there is no index.
enum class IfAbsent : std::uint8_t {
  kFail,    ///< It is an error; but lmdb has no entries then, as Postfix has it.
  kCreate,  ///< Make one, mode 0644.
};

Result<std::unique_ptr<WritableTable>> open_writable_btree(std::string_view name, IfAbsent if_absent,
                                                           const TableContext& context);
Result<std::unique_ptr<WritableTable>> open_writable_hash(std::string_view name, IfAbsent if_absent,
                                                          const TableContext& context);
Result<std::unique_ptr<WritableTable>> open_writable_lmdb(std::string_view name, IfAbsent if_absent,
                                                          const TableContext& context);

}  // namespace libmaps
