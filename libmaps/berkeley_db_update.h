/// Changes the index files of `hash:` and `btree:` tables in place (postmap -i, -d), with libdb.
///
///     auto update = BerkeleyDbUpdate::open(path, BerkeleyDbKind::kHash, cache_bytes);
///     if (!update) return update.error();
///     Result<bool> is_new = update->store("user@example.com", "OK", true);
///     return update->finish();
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "libmaps/berkeley_db_index.h"

struct __db;  // NOLINT(bugprone-reserved-identifier): a DB of libdb.

namespace libmaps {

/// An index file open for changes. Keys and values are exact bytes. The caller has an exclusive lock on the
/// file, as long as this lives. Not thread-safe.
class BerkeleyDbUpdate {
 public:
  /// Opens a file for writing; one that is empty or not there yet becomes an empty table, with mode 0666 less
  /// the umask. The structure of the file is checked first, as libdb crashes on a damaged one: this reads all
  /// of it. `cache_bytes`: memory for pages (berkeley_db_create_buffer_size). Errors: as
  /// BerkeleyDbIndex::over() and check_structure(); kInputOutput.
  static Result<BerkeleyDbUpdate> open(const std::string& path, BerkeleyDbKind kind, std::size_t cache_bytes);

  BerkeleyDbUpdate(BerkeleyDbUpdate&&) noexcept;
  BerkeleyDbUpdate& operator=(BerkeleyDbUpdate&&) noexcept;
  /// Closes the file. Without finish(), changes may be lost, or the file be left half changed.
  ~BerkeleyDbUpdate();

  /// Stores an entry. When the key is there already, replaces its value if `replace` is set; otherwise
  /// changes nothing and returns false. Errors: kInputOutput; kUnsupported, for 4 GiB and more.
  Result<bool> store(std::string_view key, std::string_view value, bool replace);

  /// Removes an entry. Returns whether there was one. Errors: kInputOutput.
  Result<bool> remove(std::string_view key);

  /// Makes the changes durable, and closes the file. Nothing may be called afterwards. Errors: kInputOutput.
  Result<void> finish();

 private:
  struct Close {
    void operator()(__db* db) const;
  };

  BerkeleyDbUpdate(std::string path, std::unique_ptr<__db, Close> db);

  std::string path_;  ///< For messages.
  std::unique_ptr<__db, Close> db_;
};

}  // namespace libmaps
