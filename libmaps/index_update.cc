#include "libmaps/index_update.h"

#include <fcntl.h>

#include <cerrno>
#include <concepts>

#include "libconf/file.h"
#include "libconf/text.h"
#include "libmaps/berkeley_db_update.h"
#include "libmaps/file_lock.h"
#include "libmaps/index_build.h"
#include "libmaps/internal_table.h"
#include "libmaps/lmdb_update.h"

namespace libmaps {
namespace {

using libconf::concat;

constexpr mode_t kNewMode = 0644;

/// Changes through a library: exact bytes of keys and values.
template <class T>
concept Update = requires(T update, std::string_view text) {
  { update.store(text, text, true) } -> std::same_as<Result<bool>>;
  { update.remove(text) } -> std::same_as<Result<bool>>;
  { update.finish() } -> std::same_as<Result<void>>;
};

/// Adds the NULs that the table's entries end with, or not.
template <Update T>
class UpdatedTable final : public WritableTable {
 public:
  UpdatedTable(std::string name, T update, FileLock lock, const TableType& type,
               NullTermination null_termination)
      : WritableTable(std::move(name)),
        update_(std::move(update)),
        lock_(std::move(lock)),
        stores_nul_(null_termination == NullTermination::kEither
                        ? type.null_terminated
                        : null_termination == NullTermination::kAlways),
        null_termination_(null_termination) {}

  Result<bool> store(std::string_view key, std::string_view value, bool replace) override {
    value_ = value;
    if (stores_nul_) value_ += '\0';
    return update_.store(form(key, stores_nul_), value_, replace);
  }

  Result<bool> remove(std::string_view key) override {
    if (null_termination_ != NullTermination::kNever)
      if (Result<bool> removed = update_.remove(form(key, true)); !removed || *removed) return removed;
    if (null_termination_ == NullTermination::kAlways) return false;
    return update_.remove(form(key, false));
  }

  Result<void> finish() override {
    Result<void> finished = update_.finish();
    lock_ = FileLock();
    return finished;
  }

 private:
  std::string_view form(std::string_view key, bool with_nul) {
    key_ = key;
    if (with_nul) key_ += '\0';
    return key_;
  }

  T update_;
  FileLock lock_;
  bool stores_nul_;
  NullTermination null_termination_;
  std::string key_;
  std::string value_;
};

/// The index under its exclusive lock. Nothing: it is not there.
Result<FileLock> lock_index(const std::string& path, const TableType& type, IfAbsent if_absent) {
  for (;;) {
    Result<FileLock> lock = FileLock::open(path, type.lock, LockMode::kExclusive);
    if (!lock || *lock || if_absent == IfAbsent::kFail) return lock;
    const libconf::FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kNewMode));
    if (!fd) return libconf::io_error("open database ", path, errno);
  }
}

Error open_error(Error error, const std::string& path) {
  error.message = concat("open database ", path, ": ", error.message);
  return error;
}

Result<std::unique_ptr<WritableTable>> open_berkeley_db(std::string_view type_name, BerkeleyDbKind kind,
                                                        std::string_view name, IfAbsent if_absent,
                                                        const TableContext& context) {
  const TableType& type = *find_table_type(type_name);
  const std::string path = index_path(type, name);
  const Result<std::int64_t> cache = context.settings.get_int("berkeley_db_create_buffer_size");
  if (!cache) return cache.error();
  Result<FileLock> lock = lock_index(path, type, if_absent);
  if (!lock) return lock.error();
  if (!*lock) return libconf::io_error("open database ", path, ENOENT);
  Result<BerkeleyDbUpdate> update = BerkeleyDbUpdate::open(path, kind, static_cast<std::size_t>(*cache));
  if (!update) return open_error(update.error(), path);
  return std::make_unique<UpdatedTable<BerkeleyDbUpdate>>(concat(type_name, ":", path), std::move(*update),
                                                          std::move(*lock), type,
                                                          context.options.null_termination);
}

}  // namespace

Result<std::unique_ptr<WritableTable>> open_writable_btree(std::string_view name, IfAbsent if_absent,
                                                           const TableContext& context) {
  return open_berkeley_db("btree", BerkeleyDbKind::kBtree, name, if_absent, context);
}

Result<std::unique_ptr<WritableTable>> open_writable_hash(std::string_view name, IfAbsent if_absent,
                                                          const TableContext& context) {
  return open_berkeley_db("hash", BerkeleyDbKind::kHash, name, if_absent, context);
}

Result<std::unique_ptr<WritableTable>> open_writable_lmdb(std::string_view name, IfAbsent if_absent,
                                                          const TableContext& context) {
  const TableType& type = *find_table_type("lmdb");
  const std::string path = index_path(type, name);
  const Result<std::int64_t> map_size = context.settings.get_int("lmdb_map_size");
  if (!map_size) return map_size.error();
  Result<FileLock> lock = lock_index(path, type, if_absent);
  if (!lock) return lock.error();
  if (!*lock) return open_writable_internal(name, if_absent, context);
  Result<LmdbUpdate> update = LmdbUpdate::open(path, lock->release(), static_cast<std::uint64_t>(*map_size));
  if (!update) return open_error(update.error(), path);
  return std::make_unique<UpdatedTable<LmdbUpdate>>(concat("lmdb:", name), std::move(*update), FileLock(),
                                                    type, context.options.null_termination);
}

}  // namespace libmaps
