/// Reads LMDB files, as `postmap lmdb:` makes them (lmdb_table(5)), without liblmdb.
///
///     auto file = LmdbFile::open("/etc/postfix/virtual.lmdb");
///     if (!file) return file.error();
///     Result<std::optional<std::string_view>> value = file->find(std::string_view("ann\0", 4));
///
/// Postfix changes LMDB files in place, and locks them with fcntl(2), F_SETLKW, the whole file: shared to
/// read, exclusive to write. The lock is the caller's business. POSIX drops a process's locks on a file when
/// it closes any descriptor of it: while one of these objects is used, destroy no other for the same file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "libconf/handle.h"
#include "libmaps/lmdb_tree.h"
#include "libmaps/mapped_file.h"
#include "libmaps/table.h"

namespace libmaps {

/// An open file. Movable, not copyable, not thread-safe.
class LmdbFile {
 public:
  /// Errors, the reason alone: kInputOutput; as LmdbTree::over() for the contents.
  static Result<LmdbFile> open(const std::string& path);

  /// Reads what `fd`, which the caller may have locked, has open for reading, and owns it. Errors: as open().
  static Result<LmdbFile> adopt(libconf::FileDescriptor fd);

  /// Brings the object to the file's present state; views of earlier values are void. Call it after each
  /// lock: nothing changes before the lock is let go. Errors: as open(); reading then gives the same error.
  Result<void> refresh();

  /// As LmdbTree has them. Views live until refresh(), and as long as the lock is held.
  Result<std::optional<std::string_view>> find(std::string_view key) const;
  Result<void> for_each(const EntryVisitor& visit) const;
  Result<void> check() const;

  /// For fcntl(2) and fstat(2).
  int fd() const { return file_.fd(); }

 private:
  explicit LmdbFile(MappedFile file) : file_(std::move(file)), tree_(LmdbTree::over(file_.bytes())) {}

  MappedFile file_;
  Result<LmdbTree> tree_;
};

}  // namespace libmaps
