#include "libmaps/lmdb_update.h"

#include <lmdb.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "libmaps/lmdb_error.h"
#include "libmaps/lmdb_format.h"
#include "libmaps/lmdb_tree.h"

namespace libmaps {
namespace {

/// liblmdb does not change what it is given.
MDB_val to_val(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }

bool can_be_key(std::string_view key) { return !key.empty() && key.size() <= lmdb::kMaxKeySize; }

Result<void> check_existing(std::string_view bytes) {
  if (bytes.empty()) return {};
  const Result<LmdbTree> tree = LmdbTree::over(bytes);
  if (!tree) return tree.error();
  return tree->check();
}

Result<bool> are_same_file(int a, int b) {
  struct stat first {};
  struct stat second {};
  if (::fstat(a, &first) != 0 || ::fstat(b, &second) != 0) return system_error(errno);
  return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

}  // namespace

void LmdbUpdate::CloseEnvironment::operator()(MDB_env* environment) const { mdb_env_close(environment); }

void LmdbUpdate::AbortTransaction::operator()(MDB_txn* transaction) const { mdb_txn_abort(transaction); }

Result<LmdbUpdate> LmdbUpdate::open(const std::string& path, libconf::FileDescriptor fd,
                                    std::uint64_t map_size) {
  Result<MappedFile> file = MappedFile::adopt(std::move(fd));
  if (!file) return file.error();
  if (const Result<void> checked = check_existing(file->bytes()); !checked) return checked.error();
  LmdbUpdate update(std::move(*file));
  if (const Result<void> opened = update.open_environment(path, map_size); !opened) return opened.error();
  return update;
}

Result<void> LmdbUpdate::open_environment(const std::string& path, std::uint64_t map_size) {
  MDB_env* environment = nullptr;
  if (const int code = mdb_env_create(&environment); code != 0) return lmdb_error(code);
  environment_.reset(environment);
  int code = mdb_env_set_mapsize(environment, map_size);
  if (code == 0) code = mdb_env_open(environment, path.c_str(), MDB_NOSUBDIR | MDB_NOLOCK, 0644);
  if (code != 0) return lmdb_error(code);
  mdb_filehandle_t fd = -1;
  mdb_env_get_fd(environment, &fd);
  const Result<bool> is_same = are_same_file(fd, file_.fd());
  if (!is_same) return is_same.error();
  if (!*is_same)
    return Error{.kind = ErrorKind::kTemporary, .message = "the file was replaced while it was opened"};
  if (code = begin(); code != 0) return lmdb_error(code);
  return {};
}

int LmdbUpdate::begin() {
  MDB_txn* transaction = nullptr;
  if (const int code = mdb_txn_begin(environment_.get(), nullptr, 0, &transaction); code != 0) return code;
  transaction_.reset(transaction);
  return mdb_dbi_open(transaction, nullptr, 0, &entries_);
}

int LmdbUpdate::apply(const Change& change) {
  MDB_val key = to_val(change.key);
  if (!change.value) return mdb_del(transaction_.get(), entries_, &key, nullptr);
  MDB_val value = to_val(*change.value);
  return mdb_put(transaction_.get(), entries_, &key, &value, 0);
}

/// A transaction that found the map full is lost, and the map can change between transactions only.
int LmdbUpdate::redo_in_larger_map() {
  transaction_.reset();
  MDB_envinfo info{};
  int code = mdb_env_info(environment_.get(), &info);
  if (code == 0) code = mdb_env_set_mapsize(environment_.get(), 2 * info.me_mapsize);
  if (code == 0) code = begin();
  for (auto change = changes_.begin(); code == 0 && change != changes_.end(); ++change) code = apply(*change);
  return code;
}

template <class Operation>
int LmdbUpdate::retry_when_full(Operation operation) {
  int code = operation();
  while (code == MDB_MAP_FULL) {
    code = redo_in_larger_map();
    if (code == 0) code = operation();
  }
  return code;
}

Result<std::optional<std::string_view>> LmdbUpdate::find(std::string_view key) {
  if (!can_be_key(key)) return std::nullopt;
  MDB_val wanted = to_val(key);
  MDB_val value{};
  const int code = mdb_get(transaction_.get(), entries_, &wanted, &value);
  if (code == MDB_NOTFOUND) return std::nullopt;
  if (code != 0) return lmdb_error(code);
  return std::string_view(static_cast<const char*>(value.mv_data), value.mv_size);
}

Result<bool> LmdbUpdate::store(std::string_view key, std::string_view value, bool replace) {
  const int code = retry_when_full([&] {
    MDB_val wanted = to_val(key);
    MDB_val stored = to_val(value);
    return mdb_put(transaction_.get(), entries_, &wanted, &stored, replace ? 0 : MDB_NOOVERWRITE);
  });
  if (code == MDB_KEYEXIST) return false;
  if (code != 0) return lmdb_error(code);
  changes_.push_back({std::string(key), std::string(value)});
  return true;
}

Result<bool> LmdbUpdate::remove(std::string_view key) {
  if (!can_be_key(key)) return false;
  const int code = retry_when_full([&] {
    MDB_val wanted = to_val(key);
    return mdb_del(transaction_.get(), entries_, &wanted, nullptr);
  });
  if (code == MDB_NOTFOUND) return false;
  if (code != 0) return lmdb_error(code);
  changes_.push_back({std::string(key), std::nullopt});
  return true;
}

Result<void> LmdbUpdate::finish() {
  const int code = retry_when_full([&] { return mdb_txn_commit(transaction_.release()); });
  environment_.reset();
  if (code != 0) return lmdb_error(code);
  return {};
}

}  // namespace libmaps
