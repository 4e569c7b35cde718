#include "libmaps/lmdb_rewrite.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "libmaps/file_lock.h"
#include "libmaps/index_output.h"
#include "libmaps/lmdb_format.h"
#include "libmaps/lmdb_tree.h"
#include "libmaps/lmdb_tree_layout.h"
#include "libmaps/mapped_file.h"
#include "libmaps/system_error.h"

namespace libmaps {
namespace {

using lmdb::kMetaPages;
using lmdb::kPageSize;

constexpr LockStyle kLockStyle = LockStyle::kFcntl;

/// Where the new pages go, one after another: to the beginning of the file if they fit there before what the
/// old content uses; or behind that, and so far away that the next content fits in front, though it be a
/// little larger. So a file that is rebuilt again and again stays at about twice the size of its content, and
/// every other time becomes as small as a new one.
std::uint64_t first_new_page(const std::vector<bool>& used, std::uint64_t count) {
  const auto first = std::find(used.begin(), used.end(), true);
  if (first == used.end()) return kMetaPages;
  const auto lowest = static_cast<std::uint64_t>(first - used.begin());
  if (kMetaPages + count <= lowest) return kMetaPages;
  const auto last = std::find(used.rbegin(), used.rend(), true);
  const auto end = static_cast<std::uint64_t>(used.rend() - last);
  return std::max(end, kMetaPages + count + count / 8);
}

/// The record of the free pages from kMetaPages to `end`: their number, then they themselves, falling.
std::string free_page_list(std::uint64_t end) {
  constexpr std::size_t kSize = sizeof(std::uint64_t);
  std::string list((end - kMetaPages + 1) * kSize, '\0');
  lmdb::store(list.data(), end - kMetaPages);
  for (std::uint64_t number = kMetaPages; number < end; ++number)
    lmdb::store(list.data() + (end - number) * kSize, number);
  return list;
}

Result<void> sync(int fd) {
  if (::fdatasync(fd) != 0) return system_error(errno);
  return {};
}

/// Writes the pages of the new content, and returns the meta of the transaction.
Result<lmdb::Meta> write_pages(const lmdb::TreeLayout& entries, std::uint64_t first_page,
                               const lmdb::Meta& before, const IndexOptions& options, int fd) {
  IndexOutput out(fd, first_page * kPageSize);
  lmdb::Meta meta = before;
  ++meta.transaction;
  meta.entries = entries.write(out);

  // All before is free. liblmdb gives the pages of a record to the transaction after the next.
  std::string key(sizeof meta.transaction, '\0');
  lmdb::store(key.data(), meta.transaction);
  const std::string list = free_page_list(first_page);
  const Entry record{key, list};
  const auto free_pages = lmdb::TreeLayout::of({&record, first_page > kMetaPages ? 1U : 0U}, false);
  if (!free_pages) return free_pages.error();
  meta.free_pages = free_pages->write(out);
  meta.free_pages.page_size = before.free_pages.page_size;
  meta.free_pages.flags = before.free_pages.flags;

  const std::uint64_t page_count = out.position() / kPageSize;
  meta.last_page = page_count - 1;
  meta.map_size = lmdb::fitting_map_size(std::max(before.map_size, options.map_size), page_count);
  if (const Result<void> written = out.finish(); !written) return written.error();
  if (const Result<void> synced = sync(fd); !synced) return synced.error();
  return meta;
}

Result<void> write_meta(std::uint64_t number, const lmdb::MetaPage& page, int fd) {
  IndexOutput out(fd, number * kPageSize);
  lmdb::store(out.extend(sizeof page), page);
  if (Result<void> written = out.finish(); !written) return written;
  return sync(fd);
}

/// Makes the new content count.
Result<void> commit(const lmdb::Meta& meta, const MappedFile& file) {
  const std::uint64_t number = meta.transaction % kMetaPages;
  const auto older = lmdb::load<lmdb::MetaPage>(file.bytes().data() + number * kPageSize);
  if (Result<void> locked = set_lock(file.fd(), kLockStyle, LockMode::kExclusive); !locked) return locked;
  const lmdb::MetaPage page{{.number = number, .kind = lmdb::PageKind::kMeta}, meta};
  Result<void> written = write_meta(number, page, file.fd());
  // What did not reach the disk must not be seen by readers either, nor come to the disk later.
  if (!written) static_cast<void>(write_meta(number, older, file.fd()));
  return written;
}

/// Gives the file `size` bytes if it has more. That it keeps them does no harm.
void cut_to(std::uint64_t size, int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || static_cast<std::uint64_t>(status.st_size) <= size) return;
  static_cast<void>(::ftruncate(fd, static_cast<off_t>(size)));
}

}  // namespace

Result<bool> rewrite_lmdb_index(std::span<const Entry> entries, const IndexOptions& options,
                                libconf::FileDescriptor fd) {
  const auto layout = lmdb::TreeLayout::of(entries, options.null_terminated);
  if (!layout) return layout.error();
  const Result<MappedFile> file = MappedFile::adopt(std::move(fd));
  if (!file) return file.error();
  // Only an exclusive lock can become a shared one that may be made exclusive again: so there is one such
  // lock at a time, in Postfix too, and no two processes wait for each other.
  if (const Result<void> locked = set_lock(file->fd(), kLockStyle, LockMode::kShared); !locked)
    return locked.error();
  const Result<LmdbTree> tree = LmdbTree::over(file->bytes());
  if (!tree) return false;
  const Result<std::vector<bool>> used = tree->used_pages();
  if (!used) return false;

  const std::uint64_t first_page = first_new_page(*used, layout->page_count());
  const Result<lmdb::Meta> meta = write_pages(*layout, first_page, tree->meta(), options, file->fd());
  if (!meta) {
    cut_to(file->bytes().size(), file->fd());
    return meta.error();
  }
  if (const Result<void> committed = commit(*meta, *file); !committed) return committed.error();
  cut_to((meta->last_page + 1) * kPageSize, file->fd());
  return true;
}

}  // namespace libmaps
