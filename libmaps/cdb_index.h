/// Reads cdb files: constant databases, as `postmap cdb:` and cdbmake(1) write them (CDB_README).
///
///     auto index = CdbIndex::over(file->bytes());
///     if (!index) return index.error();
///     Result<std::optional<std::string_view>> value = index->find("ann@example.com");
///
/// Whoever changes a cdb file renames a new one over it, so readers need no lock; what is open stays as it
/// was.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libconf/result.h"
#include "libmaps/table.h"

namespace libmaps {

/// The database in bytes that the caller keeps. They may be anything: damage gives an error. Copying is
/// cheap; thread-safe.
class CdbIndex {
 public:
  /// Errors: kDataCorrupt.
  static Result<CdbIndex> over(std::string_view bytes);

  /// The value of the first record with exactly the key `key`. Views live as long as the bytes. Errors:
  /// kDataCorrupt.
  Result<std::optional<std::string_view>> find(std::string_view key) const;

  /// Fetches what find(key) looks at first.
  void expect(std::string_view key) const;

  /// Visits all records in the file's order. Each one's key is looked up first: what is listed can be found.
  /// Errors: kDataCorrupt, and what `visit` returns.
  Result<void> for_each(const EntryVisitor& visit) const;

 private:
  struct HashTable {
    std::uint32_t position;
    std::uint32_t slots;
  };

  explicit CdbIndex(std::string_view bytes) : bytes_(bytes) {}
  std::uint32_t number_at(std::uint64_t position) const;
  HashTable table(std::size_t number) const;
  Result<Entry> record_at(std::uint64_t position) const;

  std::string_view bytes_;
  std::uint64_t records_end_ = 0;  ///< Where the hash tables begin.
};

}  // namespace libmaps
