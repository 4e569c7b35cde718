/// Writes cdb files (libmaps/cdb_index.h reads them).
#pragma once

#include <span>

#include "libmaps/index_format.h"
#include "libmaps/table.h"

namespace libmaps {

/// A writer of index files, as libmaps/index_format.h has them. Records stand in the order of `entries`.
/// Errors: kInputOutput; kConfiguration when the file would exceed the format's 4 GiB.
Result<void> write_cdb_index(std::span<const Entry> entries, const IndexOptions& options, int fd);

}  // namespace libmaps
