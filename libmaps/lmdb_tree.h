/// Reads LMDB databases, as `postmap lmdb:` makes them (lmdb_table(5)), in memory and without liblmdb.
///
///     auto tree = LmdbTree::over(bytes);
///     if (!tree) return tree.error();
///     Result<std::optional<std::string_view>> value = tree->find("ann@example.com");
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "libmaps/lmdb_page.h"
#include "libmaps/table.h"

namespace libmaps {

/// The database as its last transaction left it. The bytes may be anything: damage gives an error. Copying is
/// cheap; thread-safe as long as nobody changes the bytes.
class LmdbTree {
 public:
  /// Errors: kDataCorrupt; kUnsupported for another version of the format, another size of pages, and
  /// databases with several values for a key or another order of keys.
  static Result<LmdbTree> over(std::string_view bytes);

  /// The value of exactly `key`. Views live as long as the bytes are unchanged. Errors: kDataCorrupt.
  Result<std::optional<std::string_view>> find(std::string_view key) const;

  /// The same in two steps, with time between them: the leaf where `key` belongs, whose head is fetched
  /// meanwhile, and what that leaf has. A leaf of nothing has no keys. Errors: kDataCorrupt.
  Result<std::optional<std::uint64_t>> leaf_of(std::string_view key) const;
  Result<std::optional<std::string_view>> find_in(std::optional<std::uint64_t> leaf,
                                                  std::string_view key) const;

  /// Visits all entries in the order of their keys. Checks that they are in order, each where find() looks
  /// for it: what is listed can be found. Errors: kDataCorrupt, and what `visit` returns.
  Result<void> for_each(const EntryVisitor& visit) const;

  /// Checks all that liblmdb trusts blindly when it changes a file. Errors: kDataCorrupt.
  Result<void> check() const;

  /// The pages that the entries and the list of free pages take: element i is page i. Pages after the last
  /// element are not used. Errors: as check().
  Result<std::vector<bool>> used_pages() const;

  /// The last transaction. REQUIRES, if it is to be trusted: check() found no error.
  const lmdb::Meta& meta() const { return meta_; }

 private:
  LmdbTree(std::string_view bytes, const lmdb::Meta& meta, std::uint64_t meta_page)
      : meta_(meta), meta_page_(meta_page), pages_(bytes, meta.last_page) {}

  lmdb::Meta meta_;
  std::uint64_t meta_page_;
  lmdb::Pages pages_;
};

}  // namespace libmaps
