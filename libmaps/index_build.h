/// Building index files: hash, btree, cdb, lmdb (postmap(1)).
///
///     auto build = IndexBuild::begin(*find_table_type("hash"), "/etc/postfix/virtual");
///     ... read the source ...
///     Result<void> done = build->finish(entries.sorted(), {.null_terminated = true}, {.if_new = 0644});
///
/// A build is atomic: the new index grows in FILE.db.tmp, is synced, and takes the place of FILE.db at the
/// end. An LMDB file that is there gets its new entries by a transaction, for Postfix's daemons would not
/// notice another file in its place. Readers see the old table or the new one, whatever happens on the way.
/// The locks are those of Postfix.
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

/// One build of one index. From its beginning it keeps out other builds, by the lock on FILE.tmp: the one
/// that reads its source last has the last word. One that is destroyed without finish() leaves the old index,
/// and a FILE.tmp that the next build takes over. Movable; not thread-safe.
class IndexBuild {
 public:
  /// Waits for other builds; and for updates in place and readers, which then wait for the end of this one.
  /// Where the index is rewritten in place, those go on until finish(). REQUIRES: the type has an index.
  /// Errors: kInputOutput, "open database FILE: REASON".
  static Result<IndexBuild> begin(const TableType& type, const std::string& name);

  /// Writes the index and puts it in place. Owner and group are those of the old one, the mode is as `mode`
  /// says. REQUIRES of `entries`: see libmaps/index_format.h. Errors: kInputOutput, and what the format
  /// cannot hold; the old index has its old entries then.
  Result<void> finish(std::span<const Entry> entries, const IndexOptions& options, libconf::FileMode mode);

 private:
  IndexBuild(const TableType& type, libconf::FileReplacement replacement, FileLock lock)
      : type_(&type), replacement_(std::move(replacement)), lock_(std::move(lock)) {}

  Result<bool> rewrite(std::span<const Entry> entries, const IndexOptions& options,
                       libconf::FileMode mode) const;
  Result<void> write(std::span<const Entry> entries, const IndexOptions& options) const;

  const TableType* type_;
  libconf::FileReplacement replacement_;
  FileLock lock_;  ///< On the old index, unless that is rewritten in place.
};

}  // namespace libmaps
