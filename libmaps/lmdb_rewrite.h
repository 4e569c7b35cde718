/// Gives an LMDB file new content in place, without liblmdb, which takes it for a transaction of its own.
/// Programs that have the file open see the new entries with their next lookup: they would not notice another
/// file in its place (lmdb_table(5)).
#pragma once

#include <span>

#include "libconf/handle.h"
#include "libmaps/index_format.h"
#include "libmaps/table.h"

namespace libmaps {

/// Puts `entries` (see libmaps/index_format.h) in the place of all that the file has. Returns false, and
/// changes nothing, when that is no sound LMDB file.
///
/// `fd` is the file, open for reading and writing, with the caller's exclusive lock; its end drops the lock.
/// When no reader is left that may look at an older state, nor a writer, the lock becomes a shared one, as in
/// Postfix: readers go on while the new pages are written where the present content has none, and are synced.
/// Then this waits for the exclusive lock again, and one small write makes them count. After a crash at any
/// time the file has the old content or the new.
///
/// Errors, the reason alone: kInputOutput, and as lmdb::TreeLayout::of(); the file has its old content then.
Result<bool> rewrite_lmdb_index(std::span<const Entry> entries, const IndexOptions& options,
                                libconf::FileDescriptor fd);

}  // namespace libmaps
