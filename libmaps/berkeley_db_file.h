/// Reads the index files of `hash:` and `btree:` tables: Berkeley DB 5.3 files, as Postfix makes them,
/// without libdb.
///
///     auto file = BerkeleyDbFile::open("/etc/postfix/access.db", BerkeleyDbKind::kHash);
///     if (!file) return file.error();
///     std::string scratch;
///     Result<std::optional<std::string_view>> value = file->find("user@example.com", scratch);
///
/// The file may be of either byte order, have pages of 512 to 65536 bytes, and any damage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "libconf/handle.h"
#include "libmaps/berkeley_db_btree.h"
#include "libmaps/berkeley_db_hash.h"
#include "libmaps/table.h"

namespace libmaps {

enum class BerkeleyDbKind : std::uint8_t { kHash, kBtree };

/// An open file, or bytes in memory. Keys and values are exact bytes: a NUL at their end is the caller's
/// matter. Movable, not copyable; const functions are thread-safe.
///
/// The file is mapped, so its pages must not vanish while it is read: whoever changes the file in place has
/// an exclusive lock on descriptor(), whoever reads has a shared one, taken before refresh().
class BerkeleyDbFile {
 public:
  /// Opens and maps a file. Errors: kInputOutput, "open FILE: REASON"; and those of refresh().
  static Result<BerkeleyDbFile> open(const std::string& path, BerkeleyDbKind kind);

  /// Opens a file that is in memory, and stays there as long as it is read. Errors: as refresh().
  static Result<BerkeleyDbFile> from_bytes(std::string_view bytes, BerkeleyDbKind kind);

  BerkeleyDbFile(BerkeleyDbFile&& other) noexcept;
  BerkeleyDbFile& operator=(BerkeleyDbFile&& other) noexcept;
  ~BerkeleyDbFile();

  /// REQUIRES: opened by open(). Reads the metadata anew, and maps the file anew when its size changed. To be
  /// called after each taking of a lock; after an error, before any other call. Costs one fstat(2) when
  /// nothing changed. Errors: kDataCorrupt and kUnsupported, with a message that says what is wrong with the
  /// file and does not name it: "not a Berkeley DB hash file".
  Result<void> refresh();

  /// The value of `key`, in the file or in `scratch`, or nothing when the file has no such key. Errors:
  /// kDataCorrupt, "damaged at page N: ...", also when the file has what Postfix's tables do not.
  Result<std::optional<std::string_view>> find(std::string_view key, std::string& scratch) const;

  /// Visits all entries, in the order of libdb's cursor. Errors: kDataCorrupt, after a part of the entries.
  Result<void> for_each(const EntryVisitor& visit) const;

  /// Checks every page that libdb may come to use, so that it can be let loose on the file: libdb trusts what
  /// it reads. Reads the whole file but for what overflow pages have. Errors: kDataCorrupt.
  Result<void> check_structure() const;

  /// The open file, to lock and to compare with what the path has become; -1 after from_bytes().
  int descriptor() const { return fd_.get(); }

 private:
  explicit BerkeleyDbFile(BerkeleyDbKind kind) : kind_(kind) {}
  Result<void> read_metadata();

  BerkeleyDbKind kind_;
  libconf::FileDescriptor fd_;
  std::string path_;  ///< For messages.
  void* mapping_ = nullptr;
  std::string_view bytes_;
  std::variant<berkeley_db::HashFile, berkeley_db::BtreeFile> content_;
};

}  // namespace libmaps
