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
#include "libmaps/lmdb_rewrite.h"
#include "libmaps/lmdb_writer.h"
#include "libmaps/system_error.h"

namespace libmaps {
namespace {

using libconf::concat;
using libconf::FileReplacement;
using libconf::io_error;

struct Writer {
  std::string_view type;
  Result<void> (*write)(std::span<const Entry> entries, const IndexOptions& options, int fd);
  /// For what is rewritten in place if it can be: does so under the exclusive lock of `fd`; false: it cannot.
  Result<bool> (*rewrite)(std::span<const Entry> entries, const IndexOptions& options,
                          libconf::FileDescriptor fd) = nullptr;
};
constexpr Writer kWriters[] = {
    {"btree", write_btree_index},
    {"cdb", write_cdb_index},
    {"hash", write_hash_index},
    {"lmdb", write_lmdb_index, rewrite_lmdb_index},
};

const Writer& writer_of(const TableType& type) {
  return *std::find_if(std::begin(kWriters), std::end(kWriters),
                       [&](const Writer& writer) { return writer.type == type.name; });
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

Error write_error(Error error, const std::string& file) {
  error.message = concat("write ", file, ": ", error.message);
  return error;
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
    // The reason is about the file beside the index. Where there is neither, it is Postfix's own: about the
    // directory.
    const bool is_about_tmp = exists(path) || exists(path + ".tmp");
    const std::size_t reason = is_about_tmp ? 0 : error.message.rfind(": ") + 2;
    error.message = concat("open database ", path, ": ", error.message.substr(reason));
    return error;
  }
  // Who may not write the old index may not replace it either. One that is rewritten in place is not locked
  // yet: its readers need not wait until the source is read.
  const bool locks_later = writer_of(type).rewrite != nullptr;
  Result<FileLock> lock = FileLock::open(replacement->target(), type.lock,
                                         locks_later ? LockMode::kUnlock : LockMode::kExclusive);
  if (!lock) {
    replacement->discard();
    return lock.error();
  }
  return IndexBuild(type, std::move(*replacement), locks_later ? FileLock() : std::move(*lock));
}

Result<void> IndexBuild::finish(std::span<const Entry> entries, const IndexOptions& options,
                                libconf::FileMode mode) {
  const Result<bool> rewritten = rewrite(entries, options, mode);
  if (!rewritten) {
    replacement_.discard();
    return rewritten.error();
  }
  if (*rewritten) {
    replacement_.discard();
    return {};
  }
  if (Result<void> written = write(entries, options); !written) {
    replacement_.discard();
    return written;
  }
  // An index can be made again: what counts is that it is whole.
  return replacement_.commit(mode, libconf::RenameSync::kSoon);
}

Result<bool> IndexBuild::rewrite(std::span<const Entry> entries, const IndexOptions& options,
                                 libconf::FileMode mode) const {
  const Writer& writer = writer_of(*type_);
  if (writer.rewrite == nullptr) return false;
  const std::string& file = replacement_.target();
  Result<FileLock> lock = FileLock::open(file, type_->lock, LockMode::kExclusive);
  if (!lock) return lock.error();
  if (!*lock) return false;
  // First the mode: nobody shall read the new entries who may not.
  struct stat status {};
  if (::fstat(lock->fd(), &status) != 0) return io_error("fstat ", file, errno);
  const mode_t wanted = status.st_mode & mode.at_most & 07777;
  if (wanted != (status.st_mode & 07777) && ::fchmod(lock->fd(), wanted) != 0)
    return io_error("fchmod ", file, errno);
  Result<bool> rewritten = writer.rewrite(entries, options, lock->release());
  if (!rewritten) return write_error(rewritten.error(), file);
  return rewritten;
}

Result<void> IndexBuild::write(std::span<const Entry> entries, const IndexOptions& options) const {
  const std::string& file = replacement_.temporary();
  if (::ftruncate(replacement_.fd(), 0) != 0) return write_error(system_error(errno), file);
  if (::lseek(replacement_.fd(), 0, SEEK_SET) < 0) return write_error(system_error(errno), file);
  const Result<void> written = writer_of(*type_).write(entries, options, replacement_.fd());
  if (!written) return write_error(written.error(), file);
  return {};
}

}  // namespace libmaps
