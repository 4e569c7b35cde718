/// What the writers of index files share.
///
/// A writer is a function `Result<void> write_NAME_index(std::span<const Entry> entries, const IndexOptions&,
/// int fd)`: it writes a complete index file to `fd`, which is empty, open for reading and writing, and
/// positioned at 0. REQUIRES: keys are sorted as memcmp() sorts them, a prefix first, and differ from one
/// another. Errors: kInputOutput with errno's reason. The caller owns the file: its lock, its mode, fsync and
/// rename.
#pragma once

#include <cstdint>

namespace libmaps {

struct IndexOptions {
  /// Keys and values are stored with a NUL at their end, as C strings (postmap -N).
  bool null_terminated = true;

  /// What an LMDB file may grow to before its users ask for more, in bytes (lmdb_map_size). Other types have
  /// no such limit.
  std::uint64_t map_size = 16777216;
};

/// How keys are looked up in an index that may have either form: as -N, -n, or what is there.
enum class NullTermination : std::uint8_t { kEither, kAlways, kNever };

}  // namespace libmaps
