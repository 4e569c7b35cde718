#include "libmaps/index_build.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "libconf/file.h"
#include "libconf/text.h"
#include "libmaps/berkeley_db_btree_writer.h"
#include "libmaps/berkeley_db_hash_writer.h"
#include "libmaps/cdb_writer.h"
#include "libmaps/lmdb_writer.h"

namespace libmaps {
namespace {

using libconf::concat;
using libconf::FileReplacement;
using libconf::io_error;

struct Writer {
  std::string_view type;
  Result<void> (*write)(std::span<const Entry> entries, const IndexOptions& options, int fd);
};
constexpr Writer kWriters[] = {
    {"btree", write_btree_index},
    {"cdb", write_cdb_index},
    {"hash", write_hash_index},
    {"lmdb", write_lmdb_index},
};

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

}  // namespace

std::string index_path(const TableType& type, std::string_view name) { return concat(name, type.suffix); }

std::string duplicate_label(const TableType& type, std::string_view name) {
  switch (type.duplicate_label) {
    case DuplicateLabel::kIndexFile:
      return index_path(type, name);
    case DuplicateLabel::kTypeAndSource:
      return concat(type.name, ":", name);
    case DuplicateLabel::kSource:
      break;
  }
  return std::string(name);
}

Result<IndexBuild> IndexBuild::begin(const TableType& type, const std::string& name) {
  const std::string path = index_path(type, name);
  Result<FileReplacement> replacement = FileReplacement::begin(path);
  if (!replacement) {
    Error error = replacement.error();
    // Where there is an index, the reason is not about it but about the file beside it: name that too.
    const std::size_t reason = exists(path) ? 0 : error.message.rfind(": ") + 2;
    error.message = concat("open database ", path, ": ", error.message.substr(reason));
    return error;
  }
  // Who may not write the old index may not replace it either.
  Result<FileLock> lock = FileLock::open_exclusive(replacement->target(), type.lock);
  if (!lock) {
    replacement->discard();
    return lock.error();
  }
  return IndexBuild(type, std::move(*replacement), std::move(*lock));
}

Result<void> IndexBuild::finish(std::span<const Entry> entries, const IndexOptions& options,
                                libconf::FileMode mode) {
  const auto* writer = std::find_if(std::begin(kWriters), std::end(kWriters),
                                    [&](const Writer& w) { return w.type == type_->name; });
  const std::string file = replacement_.temporary();  // discard() forgets it.
  Result<void> written = [&]() -> Result<void> {
    if (::ftruncate(replacement_.fd(), 0) != 0) return io_error("truncate ", file, errno);
    if (::lseek(replacement_.fd(), 0, SEEK_SET) < 0) return io_error("seek ", file, errno);
    return writer->write(entries, options, replacement_.fd());
  }();
  if (!written) {
    replacement_.discard();
    Error error = written.error();
    error.message = concat("write ", file, ": ", error.message);
    return error;
  }
  return replacement_.commit(mode);
}

}  // namespace libmaps
