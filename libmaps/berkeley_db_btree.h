/// Reads Berkeley DB btree files: a tree of sorted pages, whose leaves are linked in order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libmaps/berkeley_db_pages.h"
#include "libmaps/table.h"

namespace libmaps::berkeley_db {

/// A btree file in memory. Borrows the bytes. See BerkeleyDbFile for what find() and for_each() do.
class BtreeFile {
 public:
  static Result<BtreeFile> open(std::string_view file);

  Result<std::optional<std::string_view>> find(std::string_view key, std::string& scratch) const;
  Result<void> for_each(const EntryVisitor& visit) const;
  /// Does nothing: what find(key) needs first is found by the same steps.
  void expect(std::string_view) const {}

  const Pages& pages() const { return pages_; }
  std::uint32_t root() const { return root_; }

 private:
  /// The leaf that has `key`, if any has; without one, the first leaf.
  Result<std::uint32_t> child_of(const Page& inner, const std::string_view* key, PageBudget& budget) const;
  Result<Page> leaf_of(const std::string_view* key, PageBudget& budget) const;

  Pages pages_;
  std::uint32_t root_ = 0;
};

/// Checks that `page` is of a tree, with items in pairs if it is a leaf. Errors: kDataCorrupt.
Result<void> check_btree_page(const Page& page);

/// A key or value of a leaf.
struct LeafItem {
  Item item;
  bool is_deleted = false;
  std::size_t size = 0;  ///< What it takes in the page, alignment included.
};
/// REQUIRES: check_btree_page() holds, index < page.entries(). Errors: kDataCorrupt.
Result<LeafItem> leaf_item(const Page& page, std::uint32_t index);

/// A key of an internal page and the page that has the keys from it on. The first one's key means nothing.
struct InternalItem {
  Item key;
  std::uint32_t child = 0;
  std::size_t size = 0;  ///< As of LeafItem.
};
/// REQUIRES: as leaf_item(). Errors: kDataCorrupt.
Result<InternalItem> internal_item(const Page& page, std::uint32_t index);

}  // namespace libmaps::berkeley_db
