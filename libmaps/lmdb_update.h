/// Changes LMDB files in place, as `postmap -i` and `-d` do, through liblmdb.
///
///     auto update = LmdbUpdate::open(path, std::move(locked_fd), map_size);
///     if (!update) return update.error();
///     Result<bool> stored = update->store("ann", "ann-box", /*replace=*/false);
///     Result<void> finished = update->finish();
///
/// All changes are one transaction: readers see none of them before finish(), and a crash leaves all or
/// nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/handle.h"
#include "libmaps/mapped_file.h"
#include "libmaps/table.h"

struct MDB_env;
struct MDB_txn;

namespace libmaps {

/// Keys and values are what the file has, trailing NULs included. An error of store(), remove() or find()
/// ends the usefulness of the object, but for "not this key": kConfiguration. Destroyed without finish(), it
/// leaves the file as it was. Can be moved, not assigned; not thread-safe.
class LmdbUpdate {
 public:
  /// Opens the file `path`. `fd` is the same file, with the caller's exclusive lock (see
  /// libmaps/lmdb_file.h); an empty file becomes a database. The object owns `fd`, and with its end the lock
  /// is gone. An existing file is read through first: liblmdb does not survive damaged ones. `map_size` is
  /// what the file may grow to before the limit is doubled, in bytes (lmdb_map_size). Errors: kInputOutput;
  /// kDataCorrupt; kUnsupported; kTemporary when another file has come into the place of `fd`'s.
  static Result<LmdbUpdate> open(const std::string& path, libconf::FileDescriptor fd, std::uint64_t map_size);

  LmdbUpdate(LmdbUpdate&&) = default;

  /// The value of `key`, with the changes so far. The view lives until the next change.
  Result<std::optional<std::string_view>> find(std::string_view key);

  /// Stores an entry. When the key is there already, replaces its value if `replace` is set; otherwise
  /// changes nothing and returns false. Errors: kInputOutput; kConfiguration for a key of 0 or more than 511
  /// bytes.
  Result<bool> store(std::string_view key, std::string_view value, bool replace);

  /// Removes an entry. Returns whether there was one. Errors: kInputOutput.
  Result<bool> remove(std::string_view key);

  /// Makes the changes durable, and closes the file. Errors: kInputOutput; the file is then as it was.
  Result<void> finish();

 private:
  struct CloseEnvironment {
    void operator()(MDB_env* environment) const;
  };
  struct AbortTransaction {
    void operator()(MDB_txn* transaction) const;
  };
  /// A change that was made: an entry stored or, without a value, removed.
  struct Change {
    std::string key;
    std::optional<std::string> value;
  };

  explicit LmdbUpdate(MappedFile file) : file_(std::move(file)) {}
  Result<void> open_environment(const std::string& path, std::uint64_t map_size);
  int begin();
  int apply(const Change& change);
  int redo_in_larger_map();
  template <class Operation>
  int retry_when_full(Operation operation);

  MappedFile file_;
  std::unique_ptr<MDB_env, CloseEnvironment> environment_;
  std::unique_ptr<MDB_txn, AbortTransaction> transaction_;
  unsigned int entries_ = 0;  ///< liblmdb's number of the tree of entries.
  std::vector<Change> changes_;
};

}  // namespace libmaps
