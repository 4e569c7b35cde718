/// Reads the index files of `hash:` and `btree:` tables: Berkeley DB 5.3 files, as Postfix makes them,
/// without libdb.
///
///     auto index = BerkeleyDbIndex::over(file->bytes(), BerkeleyDbKind::kHash);
///     if (!index) return index.error();
///     std::string scratch;
///     Result<std::optional<std::string_view>> value = index->find("user@example.com", scratch);
///
/// The file may be of either byte order, have pages of 512 to 65536 bytes, and any damage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "libmaps/berkeley_db_btree.h"
#include "libmaps/berkeley_db_hash.h"
#include "libmaps/table.h"

namespace libmaps {

enum class BerkeleyDbKind : std::uint8_t { kHash, kBtree };

/// The database in bytes that the caller keeps. Keys and values are exact bytes: a NUL at their end is the
/// caller's matter. Copying is cheap; thread-safe.
class BerkeleyDbIndex {
 public:
  /// Errors: kDataCorrupt and kUnsupported, with a message that says what is wrong with the file and does not
  /// name it: "not a Berkeley DB hash file".
  static Result<BerkeleyDbIndex> over(std::string_view bytes, BerkeleyDbKind kind);

  /// The value of `key`, in the bytes or in `scratch`, or nothing when there is no such key. Errors:
  /// kDataCorrupt, "damaged at page N: ...", also when the file has what Postfix's tables do not.
  Result<std::optional<std::string_view>> find(std::string_view key, std::string& scratch) const;

  /// Fetches what find(key) looks at first.
  void expect(std::string_view key) const;

  /// Visits all entries, in the order of libdb's cursor. Errors: kDataCorrupt, after a part of the entries.
  Result<void> for_each(const EntryVisitor& visit) const;

  /// Checks every page that libdb may come to use, so that it can be let loose on the file: libdb trusts what
  /// it reads. Reads the whole file but for what overflow pages have. Errors: kDataCorrupt.
  Result<void> check_structure() const;

 private:
  using Content = std::variant<berkeley_db::HashFile, berkeley_db::BtreeFile>;

  explicit BerkeleyDbIndex(Content content) : content_(std::move(content)) {}

  Content content_;
};

}  // namespace libmaps
