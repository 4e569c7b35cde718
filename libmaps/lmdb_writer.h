/// Writes LMDB files (libmaps/lmdb_tree.h reads them), without liblmdb, which takes them for its own.
#pragma once

#include <span>

#include "libmaps/index_format.h"
#include "libmaps/table.h"

namespace libmaps {

/// A writer of index files, as libmaps/index_format.h has them. Pages are full, and the file is what liblmdb
/// has after its first transaction. Errors: kInputOutput; kConfiguration for a key that is empty or longer
/// than 511 bytes, its NUL included, and for a value of 4 GiB or more: liblmdb's own words,
/// "MDB_BAD_VALSIZE: ...".
Result<void> write_lmdb_index(std::span<const Entry> entries, const IndexOptions& options, int fd);

}  // namespace libmaps
