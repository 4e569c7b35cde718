#include "libmaps/berkeley_db_update.h"

#include <db.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "libconf/file.h"
#include "libconf/handle.h"
#include "libconf/text.h"
#include "libmaps/berkeley_db_btree_writer.h"
#include "libmaps/berkeley_db_hash_writer.h"
#include "libmaps/berkeley_db_writer.h"
#include "libmaps/mapped_file.h"

namespace libmaps {
namespace {

using libconf::concat;
using libconf::io_error;

/// "WHAT FILE: REASON", with the reason as libdb words it: an errno value, or one of its own.
Error database_error(std::string_view what, const std::string& path, int error) {
  return {.kind = ErrorKind::kInputOutput,
          .message = concat(what, " ", path, ": ", ::db_strerror(error)),
          .file = path};
}

/// libdb would write to the standard error stream.
void ignore_message(const DB_ENV*, const char*, const char*) {}

DBT borrowed(std::string_view bytes) {
  DBT item = {};
  item.data = const_cast<char*>(bytes.data());  // libdb does not write to it.
  item.size = static_cast<u_int32_t>(bytes.size());
  return item;
}

/// Makes a file that is new, or was left empty, an empty table.
Result<void> create_if_empty(const std::string& path, BerkeleyDbKind kind) {
  constexpr mode_t kMode = 0666;
  const libconf::FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode));
  if (!fd) return io_error("open ", path, errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return io_error("fstat ", path, errno);
  if (status.st_size != 0) return {};
  const auto write = kind == BerkeleyDbKind::kHash ? write_hash_index : write_btree_index;
  return write({}, {}, fd.get());
}

}  // namespace

Result<BerkeleyDbUpdate> BerkeleyDbUpdate::open(const std::string& path, BerkeleyDbKind kind,
                                                std::size_t cache_bytes) {
  if (Result<void> created = create_if_empty(path, kind); !created) return created.error();
  {
    const Result<MappedFile> file = MappedFile::open(path);
    if (!file) return file.error();
    const Result<BerkeleyDbIndex> index = BerkeleyDbIndex::over(file->bytes(), kind);
    if (!index) return index.error();
    if (Result<void> checked = index->check_structure(); !checked) return checked.error();
  }
  DB* handle = nullptr;
  if (const int error = ::db_create(&handle, nullptr, 0); error != 0) {
    return database_error("open", path, error);
  }
  BerkeleyDbUpdate update(path, std::unique_ptr<__db, Close>(handle));
  handle->set_errcall(handle, ignore_message);
  constexpr std::size_t kGigabyte = std::size_t{1} << 30;
  int error = handle->set_cachesize(handle, static_cast<u_int32_t>(cache_bytes / kGigabyte),
                                    static_cast<u_int32_t>(cache_bytes % kGigabyte), 1);
  if (error == 0) {
    const DBTYPE type = kind == BerkeleyDbKind::kHash ? DB_HASH : DB_BTREE;
    error = handle->open(handle, nullptr, path.c_str(), nullptr, type, 0, 0);
  }
  if (error != 0) return database_error("open", path, error);
  return update;
}

BerkeleyDbUpdate::BerkeleyDbUpdate(std::string path, std::unique_ptr<__db, Close> db)
    : path_(std::move(path)), db_(std::move(db)) {}
BerkeleyDbUpdate::BerkeleyDbUpdate(BerkeleyDbUpdate&&) noexcept = default;
BerkeleyDbUpdate& BerkeleyDbUpdate::operator=(BerkeleyDbUpdate&&) noexcept = default;
BerkeleyDbUpdate::~BerkeleyDbUpdate() = default;

void BerkeleyDbUpdate::Close::operator()(__db* db) const { db->close(db, DB_NOSYNC); }

Result<bool> BerkeleyDbUpdate::store(std::string_view key, std::string_view value, bool replace) {
  if (std::max(key.size(), value.size()) > berkeley_db::kMaxItemSize) return berkeley_db::too_large();
  DBT key_item = borrowed(key);
  DBT value_item = borrowed(value);
  const u_int32_t flags = replace ? 0 : DB_NOOVERWRITE;
  const int error = db_->put(db_.get(), nullptr, &key_item, &value_item, flags);
  if (error == DB_KEYEXIST) return false;
  if (error != 0) return database_error("write", path_, error);
  return true;
}

Result<bool> BerkeleyDbUpdate::remove(std::string_view key) {
  if (key.size() > berkeley_db::kMaxItemSize) return false;
  DBT key_item = borrowed(key);
  const int error = db_->del(db_.get(), nullptr, &key_item, 0);
  if (error == DB_NOTFOUND) return false;
  if (error != 0) return database_error("delete from", path_, error);
  return true;
}

Result<void> BerkeleyDbUpdate::finish() {
  const int sync_error = db_->sync(db_.get(), 0);
  DB* handle = db_.release();
  const int close_error = handle->close(handle, 0);
  const int error = sync_error != 0 ? sync_error : close_error;
  if (error != 0) return database_error("write", path_, error);
  return {};
}

}  // namespace libmaps
