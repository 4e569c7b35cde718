#include "libmaps/index_table.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <concepts>

#include "libconf/file.h"
#include "libconf/text.h"
#include "libmaps/berkeley_db_index.h"
#include "libmaps/cdb_index.h"
#include "libmaps/file_lock.h"
#include "libmaps/file_version.h"
#include "libmaps/index_build.h"
#include "libmaps/lmdb_tree.h"
#include "libmaps/mapped_file.h"

namespace libmaps {
namespace {

using libconf::concat;

/// A format of index files: a view of a file's bytes, which may be anything.
template <class T>
concept Index = requires(T index, std::string_view text, std::string& scratch, const EntryVisitor& visit) {
  { T::over(text) } -> std::same_as<Result<T>>;
  { index.find(text, scratch) } -> std::same_as<Result<std::optional<std::string_view>>>;
  { index.for_each(visit) } -> std::same_as<Result<void>>;
  index.expect(text);
};

/// Berkeley DB files, of the kind that the type has.
template <BerkeleyDbKind kKind>
class KindOfBerkeleyDb {
 public:
  static Result<KindOfBerkeleyDb> over(std::string_view bytes) {
    Result<BerkeleyDbIndex> index = BerkeleyDbIndex::over(bytes, kKind);
    if (!index) return index.error();
    return KindOfBerkeleyDb(std::move(*index));
  }
  Result<std::optional<std::string_view>> find(std::string_view key, std::string& scratch) const {
    return index_.find(key, scratch);
  }
  Result<void> for_each(const EntryVisitor& visit) const { return index_.for_each(visit); }
  void expect(std::string_view key) const { index_.expect(key); }

 private:
  explicit KindOfBerkeleyDb(BerkeleyDbIndex index) : index_(std::move(index)) {}
  BerkeleyDbIndex index_;
};

class CdbTable {
 public:
  static Result<CdbTable> over(std::string_view bytes) {
    Result<CdbIndex> index = CdbIndex::over(bytes);
    if (!index) return index.error();
    return CdbTable(std::move(*index));
  }
  Result<std::optional<std::string_view>> find(std::string_view key, std::string&) const {
    return index_.find(key);
  }
  Result<void> for_each(const EntryVisitor& visit) const { return index_.for_each(visit); }
  void expect(std::string_view key) const { index_.expect(key); }

 private:
  explicit CdbTable(CdbIndex index) : index_(std::move(index)) {}
  CdbIndex index_;
};

/// LMDB files. The way to an expected key's leaf is gone once.
class LmdbTable {
 public:
  static Result<LmdbTable> over(std::string_view bytes) {
    Result<LmdbTree> tree = LmdbTree::over(bytes);
    if (!tree) return tree.error();
    return LmdbTable(std::move(*tree));
  }
  Result<std::optional<std::string_view>> find(std::string_view key, std::string&) const {
    for (const Expected& expected : expected_)
      if (expected.key == key) return tree_.find_in(expected.leaf, key);
    return tree_.find(key);
  }
  Result<void> for_each(const EntryVisitor& visit) const { return tree_.for_each(visit); }
  void expect(std::string_view key) {
    // What is wrong on the way is find()'s to say.
    const Result<std::optional<std::uint64_t>> leaf = tree_.leaf_of(key);
    if (!leaf) return;
    Expected& oldest = expected_[next_++ % expected_.size()];
    oldest.key = key;
    oldest.leaf = *leaf;
  }

 private:
  /// A leaf of nothing is right for the empty key, too: no file has it.
  struct Expected {
    std::string key;
    std::optional<std::uint64_t> leaf;
  };

  explicit LmdbTable(LmdbTree tree) : tree_(std::move(tree)) {}
  LmdbTree tree_;
  std::array<Expected, 8> expected_;
  std::size_t next_ = 0;
};

std::string_view without_nul(std::string_view text) {
  if (text.ends_with('\0')) text.remove_suffix(1);
  return text;
}

/// A mapped file and its index, under the lock while it is held.
template <Index T>
class IndexTable final : public IterableTable {
 public:
  static Result<std::unique_ptr<IterableTable>> open(std::string_view type_name, std::string_view name,
                                                     const TableContext& context) {
    const TableType& type = *find_table_type(type_name);
    std::unique_ptr<IndexTable> table(new IndexTable(type, name, context.options.null_termination));
    if (Result<void> held = table->hold(); !held) return held.error();
    table->release();
    return std::unique_ptr<IterableTable>(std::move(table));
  }

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    if (is_held_) return find(key);
    if (Result<void> held = hold(); !held) return held.error();
    Result<std::optional<std::string>> value = find(key);
    release();
    return value;
  }

  void expect(std::string_view key) override {
    if (!is_held_) return;
    // Which form it will be found in does not matter for where it lies, but in a hash.
    if (tries_with_nul_) {
      key_.assign(key).push_back('\0');
      index_->expect(key_);
    } else {
      index_->expect(key);
    }
  }

  Result<void> for_each(const EntryVisitor& visit) override {
    if (Result<void> held = hold(); !held) return held.error();
    Result<void> done = index_->for_each([&](std::string_view key, std::string_view value) {
      return visit(without_nul(key), without_nul(value));
    });
    release();
    return done;
  }

  Result<void> hold() override {
    for (;;) {
      if (Result<void> opened = open_what_is_there(); !opened) return opened;
      if (Result<void> locked = set_lock(file_->fd(), lock_, LockMode::kShared); !locked) return locked;
      is_held_ = true;
      // A new file may have come while we waited.
      if (is_current()) break;
      release();
    }
    Result<void> read = read_head();
    if (!read) release();
    return read;
  }

  void release() override {
    is_held_ = false;
    // Whether this works changes nothing for the reader.
    static_cast<void>(set_lock(file_->fd(), lock_, LockMode::kUnlock));
  }

 private:
  IndexTable(const TableType& type, std::string_view name, NullTermination null_termination)
      : IterableTable(concat(type.name, ":",
                             type.duplicate_label == DuplicateLabel::kTypeAndSource
                                 ? std::string(name)
                                 : index_path(type, name))),
        path_(index_path(type, name)),
        lock_(type.lock),
        null_termination_(null_termination) {}

  /// Whether what is open is what the path leads to. Where that leads nowhere, what is open stays.
  bool is_current() const {
    const std::optional<FileVersion> at_path = FileVersion::at(path_);
    return !at_path || version_.is_same_file(*at_path);
  }

  Result<void> open_what_is_there() {
    if (file_ && is_current()) return {};
    libconf::FileDescriptor fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) return libconf::io_error("open database ", path_, errno);
    Result<MappedFile> file = MappedFile::adopt(std::move(fd));
    if (!file) return open_error(file.error());
    file_.emplace(std::move(*file));
    version_ = FileVersion::of(status);
    index_.reset();
    return {};
  }

  /// REQUIRES: the lock is held.
  Result<void> read_head() {
    struct stat status {};
    if (::fstat(file_->fd(), &status) != 0) return libconf::io_error("fstat ", path_, errno);
    const FileVersion version = FileVersion::of(status);
    if (!index_ || !(version == version_)) {
      index_.reset();
      if (Result<void> mapped = file_->refresh(); !mapped) return open_error(mapped.error());
      version_ = version;
      tries_with_nul_ = null_termination_ != NullTermination::kNever;
      tries_without_nul_ = null_termination_ != NullTermination::kAlways;
    }
    // Two changes in place within one tick of the file system's clock have the same time. What the head of
    // the file says is read anew in any case: that costs little.
    Result<T> index = T::over(file_->bytes());
    if (!index) {
      index_.reset();
      return open_error(index.error());
    }
    index_.emplace(std::move(*index));
    return {};
  }

  Error open_error(Error error) const {
    error.message = concat("open database ", path_, ": ", error.message);
    error.file = path_;
    return error;
  }

  /// REQUIRES: the lock is held. The form that was found first, with a NUL or without, is the only one tried
  /// from then on, as in Postfix: a table has one.
  Result<std::optional<std::string>> find(std::string_view key) {
    if (tries_with_nul_) {
      key_.assign(key).push_back('\0');
      const auto value = index_->find(key_, scratch_);
      if (!value) return value.error();
      if (*value) {
        tries_without_nul_ = false;
        return std::optional(std::string(without_nul(**value)));
      }
    }
    if (tries_without_nul_) {
      const auto value = index_->find(key, scratch_);
      if (!value) return value.error();
      if (*value) {
        tries_with_nul_ = false;
        return std::optional(std::string(**value));
      }
    }
    return std::optional<std::string>();
  }

  std::string path_;
  LockStyle lock_;
  NullTermination null_termination_;
  bool tries_with_nul_ = true;
  bool tries_without_nul_ = true;
  std::optional<MappedFile> file_;
  std::optional<T> index_;
  FileVersion version_;
  bool is_held_ = false;
  std::string key_;
  std::string scratch_;
};

}  // namespace

Result<std::unique_ptr<IterableTable>> open_btree(std::string_view name, const TableContext& context) {
  return IndexTable<KindOfBerkeleyDb<BerkeleyDbKind::kBtree>>::open("btree", name, context);
}

Result<std::unique_ptr<IterableTable>> open_cdb(std::string_view name, const TableContext& context) {
  return IndexTable<CdbTable>::open("cdb", name, context);
}

Result<std::unique_ptr<IterableTable>> open_hash(std::string_view name, const TableContext& context) {
  return IndexTable<KindOfBerkeleyDb<BerkeleyDbKind::kHash>>::open("hash", name, context);
}

Result<std::unique_ptr<IterableTable>> open_lmdb(std::string_view name, const TableContext& context) {
  return IndexTable<LmdbTable>::open("lmdb", name, context);
}

}  // namespace libmaps
