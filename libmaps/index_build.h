/// Building index files: hash, btree, cdb, lmdb (postmap(1)).
///
///     auto build = IndexBuild::begin(*find_table_type("hash"), "/etc/postfix/virtual");
///     ... read the source ...
///     Result<void> done = build->finish(entries.sorted(), {.null_terminated = true}, {.if_new = 0644});
///
/// A build is atomic: the new index grows in FILE.db.tmp, is synced, and takes the place of FILE.db at the
/// end. Readers see the old table or the new one, whatever happens on the way. The locks are those of
/// Postfix.
#pragma once

#include <span>
#include <string>

#include "libconf/file_replacement.h"
#include "libmaps/file_lock.h"
#include "libmaps/index_format.h"
#include "libmaps/table.h"
#include "libmaps/table_types.h"

namespace libmaps {

/// The index file of a table: "virtual" and hash give "virtual.db".
std::string index_path(const TableType& type, std::string_view name);

/// What duplicate entries are reported of: "virtual.db" for hash and btree, "virtual" for cdb,
/// "lmdb:virtual".
std::string duplicate_label(const TableType& type, std::string_view name);

/// One build of one index. Holds the locks; one that is destroyed without finish() leaves the old index, and
/// a FILE.tmp that the next build takes over. Movable; not thread-safe.
class IndexBuild {
 public:
  /// Waits for other builds and for updates in place. REQUIRES: the type has an index. Errors: kInputOutput,
  /// "open database FILE: REASON".
  static Result<IndexBuild> begin(const TableType& type, const std::string& name);

  /// Writes the index and puts it in place. Owner, group and mode are those of the old one, or `mode_if_new`.
  /// REQUIRES of `entries`: see libmaps/index_format.h. Errors: kInputOutput, and what the format cannot
  /// hold.
  Result<void> finish(std::span<const Entry> entries, const IndexOptions& options, libconf::FileMode mode);

 private:
  IndexBuild(const TableType& type, libconf::FileReplacement replacement, FileLock lock)
      : type_(&type), replacement_(std::move(replacement)), lock_(std::move(lock)) {}

  const TableType* type_;
  libconf::FileReplacement replacement_;
  FileLock lock_;  ///< On the old index.
};

}  // namespace libmaps
