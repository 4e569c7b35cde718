/// liblmdb, for tests that compare it with our own code. A failing call throws.
#pragma once

#include <lmdb.h>

#include <functional>
#include <stdexcept>
#include <string>

#include "tests/libmaps/index_samples.h"

namespace libmaps {

inline void require_success(int code) {
  if (code != 0) throw std::runtime_error(mdb_strerror(code));
}

inline MDB_val library_value(const std::string& text) {
  return {text.size(), const_cast<char*>(text.data())};
}

/// A file, as Postfix opens it.
class LmdbLibrary {
 public:
  explicit LmdbLibrary(const std::string& path, std::size_t map_size = std::size_t{256} << 20) {
    require_success(mdb_env_create(&environment_));
    require_success(mdb_env_set_mapsize(environment_, map_size));
    require_success(mdb_env_open(environment_, path.c_str(), MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, 0644));
  }
  LmdbLibrary(const LmdbLibrary&) = delete;
  LmdbLibrary& operator=(const LmdbLibrary&) = delete;
  ~LmdbLibrary() { mdb_env_close(environment_); }

  /// Runs `changes` in one transaction.
  void change(const std::function<void(MDB_txn*, MDB_dbi)>& changes) {
    MDB_txn* transaction = nullptr;
    MDB_dbi entries = 0;
    require_success(mdb_txn_begin(environment_, nullptr, 0, &transaction));
    require_success(mdb_dbi_open(transaction, nullptr, 0, &entries));
    changes(transaction, entries);
    require_success(mdb_txn_commit(transaction));
  }

  static void put(MDB_txn* transaction, MDB_dbi entries, const std::string& key, const std::string& value) {
    MDB_val name = library_value(key);
    MDB_val stored = library_value(value);
    require_success(mdb_put(transaction, entries, &name, &stored, 0));
  }

  static void remove(MDB_txn* transaction, MDB_dbi entries, const std::string& key) {
    MDB_val name = library_value(key);
    require_success(mdb_del(transaction, entries, &name, nullptr));
  }

  /// All entries; each is looked up, too.
  Sample contents() {
    Sample sample;
    change([&](MDB_txn* transaction, MDB_dbi entries) {
      MDB_cursor* cursor = nullptr;
      require_success(mdb_cursor_open(transaction, entries, &cursor));
      MDB_val key{};
      MDB_val value{};
      while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        sample.emplace(std::string(static_cast<char*>(key.mv_data), key.mv_size),
                       std::string(static_cast<char*>(value.mv_data), value.mv_size));
        MDB_val found{};
        require_success(mdb_get(transaction, entries, &key, &found));
      }
      mdb_cursor_close(cursor);
    });
    return sample;
  }

  /// Copies what is used; fails when that and the free pages are not all pages. Returns liblmdb's code.
  int copy_compact(const std::string& path) const {
    return mdb_env_copy2(environment_, path.c_str(), MDB_CP_COMPACT);
  }

  MDB_stat statistics() const {
    MDB_stat statistics{};
    require_success(mdb_env_stat(environment_, &statistics));
    return statistics;
  }

  MDB_envinfo information() const {
    MDB_envinfo information{};
    require_success(mdb_env_info(environment_, &information));
    return information;
  }

 private:
  MDB_env* environment_ = nullptr;
};

/// Puts and removes entries in one transaction; `sample` follows. Keys are often such that are there.
inline void change_at_random(LmdbLibrary& library, Sample& sample, std::mt19937& random, std::size_t count) {
  library.change([&](MDB_txn* transaction, MDB_dbi entries) {
    for (std::size_t i = 0; i < count; ++i) {
      auto near = sample.lower_bound(sample_bytes(random, 4));
      if (near != sample.end() && random() % 2 == 0) {
        LmdbLibrary::remove(transaction, entries, near->first);
        sample.erase(near);
        continue;
      }
      const std::string key =
          near != sample.end() && random() % 2 == 0 ? near->first : "k" + sample_bytes(random, 40);
      const std::string value = sample_bytes(random, random() % 100 == 0 ? 20000 : 60);
      LmdbLibrary::put(transaction, entries, key, value);
      sample[key] = value;
    }
  });
}

}  // namespace libmaps
