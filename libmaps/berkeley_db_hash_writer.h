/// Writes the index files of `hash:` tables.
#pragma once

#include <span>

#include "libmaps/index_format.h"
#include "libmaps/table.h"

namespace libmaps {

/// Writes a Berkeley DB 5.3 hash file, which libdb can read and change. See libmaps/index_format.h for
/// arguments and errors. Takes about 8 bytes of memory an entry.
Result<void> write_hash_index(std::span<const Entry> entries, const IndexOptions& options, int fd);

}  // namespace libmaps
