/// Berkeley DB files for tests: made by our writers or by libdb, of entries that have every size that
/// matters.
#pragma once

#include <db.h>
#include <fcntl.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "libconf/handle.h"
#include "libmaps/berkeley_db_btree_writer.h"
#include "libmaps/berkeley_db_hash_writer.h"
#include "libmaps/berkeley_db_index.h"
#include "libmaps/mapped_file.h"

namespace libmaps {

using EntryMap = std::map<std::string, std::string>;
using EntryList = std::vector<std::pair<std::string, std::string>>;

inline void expect_zero(int error, const char* what) {
  if (error != 0) throw std::runtime_error(std::string(what) + ": " + ::db_strerror(error));
}

inline DBT bytes_of(const std::string& text) {
  DBT item = {};
  item.data = const_cast<char*>(text.data());
  item.size = static_cast<u_int32_t>(text.size());
  return item;
}

/// A file, and our view of it.
class OpenedIndex {
 public:
  static Result<OpenedIndex> open(const std::string& path, BerkeleyDbKind kind) {
    Result<MappedFile> file = MappedFile::open(path);
    if (!file) return file.error();
    Result<BerkeleyDbIndex> index = BerkeleyDbIndex::over(file->bytes(), kind);
    if (!index) return index.error();
    return OpenedIndex(std::move(*file), std::move(*index));
  }
  const BerkeleyDbIndex* operator->() const { return &index_; }
  const BerkeleyDbIndex& operator*() const { return index_; }

 private:
  OpenedIndex(MappedFile file, BerkeleyDbIndex index) : file_(std::move(file)), index_(std::move(index)) {}

  MappedFile file_;
  BerkeleyDbIndex index_;
};

/// A file that libdb has open.
class LibdbFile {
 public:
  struct Options {
    u_int32_t page_size = 4096;
    int byte_order = 1234;  ///< Or 4321.
  };

  LibdbFile(const std::string& path, BerkeleyDbKind kind) { open(path, kind, 0); }
  LibdbFile(const std::string& path, BerkeleyDbKind kind, const Options& options) {
    expect_zero(db_->set_pagesize(db_.get(), options.page_size), "page size");
    expect_zero(db_->set_lorder(db_.get(), options.byte_order), "byte order");
    open(path, kind, DB_CREATE);
  }

  void put(const std::string& key, const std::string& value) {
    DBT key_item = bytes_of(key);
    DBT value_item = bytes_of(value);
    expect_zero(db_->put(db_.get(), nullptr, &key_item, &value_item, 0), "put");
  }

  void remove(const std::string& key) {
    DBT key_item = bytes_of(key);
    expect_zero(db_->del(db_.get(), nullptr, &key_item, 0), "del");
  }

  bool has(const std::string& key, const std::string& value) {
    DBT key_item = bytes_of(key);
    DBT found = {};
    if (db_->get(db_.get(), nullptr, &key_item, &found, 0) != 0) return false;
    return value == std::string(static_cast<const char*>(found.data), found.size);
  }

  /// All entries, in the order of the cursor.
  EntryList list() {
    DBC* cursor = nullptr;
    expect_zero(db_->cursor(db_.get(), nullptr, &cursor, 0), "cursor");
    EntryList out;
    DBT key = {};
    DBT value = {};
    while (cursor->get(cursor, &key, &value, DB_NEXT) == 0) {
      out.emplace_back(std::string(static_cast<const char*>(key.data), key.size),
                       std::string(static_cast<const char*>(value.data), value.size));
    }
    cursor->close(cursor);
    return out;
  }

  /// libdb's own check of a file.
  static bool verify(const std::string& path) {
    DB* db = nullptr;
    expect_zero(::db_create(&db, nullptr, 0), "db_create");
    return db->verify(db, path.c_str(), nullptr, nullptr, 0) == 0;
  }

 private:
  static DB* create() {
    DB* db = nullptr;
    expect_zero(::db_create(&db, nullptr, 0), "db_create");
    return db;
  }

  void open(const std::string& path, BerkeleyDbKind kind, u_int32_t flags) {
    const DBTYPE type = kind == BerkeleyDbKind::kHash ? DB_HASH : DB_BTREE;
    expect_zero(db_->open(db_.get(), nullptr, path.c_str(), nullptr, type, flags, 0644), "open");
  }

  struct Close {
    void operator()(DB* db) const { db->close(db, 0); }
  };
  std::unique_ptr<DB, Close> db_{create()};
};

/// Writes `entries` with our writer.
inline Result<void> write_index(const std::string& path, BerkeleyDbKind kind, const EntryMap& entries,
                                bool null_terminated) {
  std::vector<Entry> list;
  for (const auto& [key, value] : entries) list.push_back({key, value});
  const libconf::FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644));
  const auto write = kind == BerkeleyDbKind::kHash ? write_hash_index : write_btree_index;
  return write(list, {.null_terminated = null_terminated}, fd.get());
}

inline EntryList list(const OpenedIndex& file) {
  EntryList out;
  const Result<void> done = file->for_each([&](std::string_view key, std::string_view value) -> Result<void> {
    out.emplace_back(key, value);
    return {};
  });
  if (!done) throw std::runtime_error(done.error().message);
  return out;
}

/// Entries as a file without NUL termination has them.
inline EntryMap with_nul(const EntryMap& entries) {
  EntryMap out;
  for (const auto& [key, value] : entries) out.emplace(key + '\0', value + '\0');
  return out;
}

/// Makes random keys and values: mostly short, some around the sizes where an item leaves its page, or fills
/// one. Few letters give keys that start with others.
class EntrySource {
 public:
  explicit EntrySource(unsigned seed) : random_(seed) {}

  std::string key() {
    // libdb loses keys in its page when a key on overflow pages starts with one that is not: these do not.
    if (random_() % 200 == 0) return '\xFF' + bytes(boundary());
    if (random_() % 2 == 0) return letters(1 + random_() % 12);
    std::string key = bytes(1 + random_() % 40);
    key[0] = static_cast<char>(key[0] & 0x7F);
    return key;
  }

  std::string value() {
    if (random_() % 200 == 0) return bytes(boundary());
    return bytes(random_() % 60);
  }

  EntryMap entries(std::size_t count) {
    EntryMap out;
    while (out.size() < count) out.emplace(key(), value());
    return out;
  }

  std::mt19937& random() { return random_; }

 private:
  std::size_t boundary() {
    static constexpr std::size_t kSizes[] = {119,  240,  1006, 1007, 1008, 1022, 1023, 1024,
                                             1025, 2000, 4068, 4069, 4070, 4071, 8140, 20000};
    return kSizes[random_() % std::size(kSizes)] + random_() % 3 - 1;
  }
  std::string letters(std::size_t size) {
    std::string text(size, '\0');
    for (char& c : text) c = "abc\0"[random_() % 4];
    return text;
  }
  std::string bytes(std::size_t size) {
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>(random_() & 0xFF);
    return text;
  }

  std::mt19937 random_;
};

}  // namespace libmaps
