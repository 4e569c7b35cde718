#include "libmaps/lmdb_writer.h"

#include <cstring>
#include <string>

#include "libmaps/index_output.h"
#include "libmaps/lmdb_format.h"
#include "libmaps/lmdb_tree_layout.h"

namespace libmaps {
namespace {

constexpr std::size_t kMetaSize = lmdb::kMetaPages * lmdb::kPageSize;

/// The meta pages of a file before its first transaction, and after it.
std::string meta_pages(const lmdb::Tree& entries, std::uint64_t page_count, std::uint64_t map_size) {
  const lmdb::Tree no_pages{.page_size = lmdb::kPageSize,
                            .flags = lmdb::kIntegerKeys | lmdb::kNoSubdirectory,
                            .root = lmdb::kNoPage};
  const lmdb::Meta before{.magic = lmdb::kMagic,
                          .version = lmdb::kVersion,
                          .map_size = lmdb::fitting_map_size(map_size, page_count),
                          .free_pages = no_pages,
                          .entries = {.root = lmdb::kNoPage},
                          .last_page = lmdb::kMetaPages - 1,
                          .transaction = 0};
  lmdb::Meta after = before;
  after.entries = entries;
  after.last_page = page_count - 1;
  after.transaction = 1;

  std::string pages(kMetaSize, '\0');
  for (const lmdb::Meta& meta : {before, after}) {
    const lmdb::PageHeader header{.number = meta.transaction, .kind = lmdb::PageKind::kMeta};
    lmdb::store(pages.data() + header.number * lmdb::kPageSize, lmdb::MetaPage{header, meta});
  }
  return pages;
}

}  // namespace

Result<void> write_lmdb_index(std::span<const Entry> entries, const IndexOptions& options, int fd) {
  const auto layout = lmdb::TreeLayout::of(entries, options.null_terminated);
  if (!layout) return layout.error();
  IndexOutput out(fd);
  std::memset(out.extend(kMetaSize), 0, kMetaSize);
  const lmdb::Tree tree = layout->write(out);
  return out.finish(meta_pages(tree, lmdb::kMetaPages + layout->page_count(), options.map_size));
}

}  // namespace libmaps
