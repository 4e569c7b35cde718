// Our reader, our writers and libdb on one another's files, against a std::map.
#include <gtest/gtest.h>

#include "libmaps/berkeley_db_update.h"
#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/berkeley_db_samples.h"

namespace libmaps {
namespace {

constexpr std::size_t kCacheBytes = std::size_t{16} << 20;

struct KindCase {
  const char* name;
  BerkeleyDbKind kind;
};

class BerkeleyDbRoundTrip : public testing::TestWithParam<KindCase> {
 protected:
  BerkeleyDbKind kind() const { return GetParam().kind; }

  OpenedIndex open() {
    Result<OpenedIndex> file = OpenedIndex::open(path_, kind());
    if (!file) throw std::runtime_error(file.error().message);
    return std::move(*file);
  }

  /// Our reader sees exactly `entries`, finds each and no other, and finds the structure sound.
  void expect_reader_sees(const EntryMap& entries) {
    const OpenedIndex file = open();
    const Result<void> checked = file->check_structure();
    EXPECT_TRUE(checked) << checked.error().message;
    EntryList listed = list(file);
    std::sort(listed.begin(), listed.end());
    EXPECT_EQ(listed, EntryList(entries.begin(), entries.end()));
    std::string scratch;
    for (const auto& [key, value] : entries) {
      const auto found = file->find(key, scratch);
      ASSERT_TRUE(found) << found.error().message;
      ASSERT_EQ(*found, value) << testing::PrintToString(key);
      const auto other = file->find(key + '!', scratch);
      ASSERT_TRUE(other) << other.error().message;
      ASSERT_EQ(other->has_value(), entries.contains(key + '!'));
    }
  }

  /// libdb accepts the file, sees exactly `entries`, and in the same order as our reader.
  void expect_libdb_sees(const EntryMap& entries) {
    EXPECT_TRUE(LibdbFile::verify(path_));
    LibdbFile libdb(path_, kind());
    for (const auto& [key, value] : entries) {
      ASSERT_TRUE(libdb.has(key, value)) << testing::PrintToString(key);
    }
    EXPECT_EQ(libdb.list(), list(open()));
  }

  postkit_test::TempDirectory directory_;
  std::string path_ = directory_.path("index.db");
};

TEST_P(BerkeleyDbRoundTrip, OurFilesAreReadByUsAndByLibdb) {
  for (const std::size_t count : {0, 1, 2, 3, 50, 200, 1000, 6000}) {
    for (const bool null_terminated : {false, true}) {
      SCOPED_TRACE(testing::Message() << count << " entries, NUL: " << null_terminated);
      const EntryMap entries = EntrySource(static_cast<unsigned>(count)).entries(count);
      ASSERT_TRUE(write_index(path_, kind(), entries, null_terminated));
      const EntryMap stored = null_terminated ? with_nul(entries) : entries;
      expect_reader_sees(stored);
      expect_libdb_sees(stored);
    }
  }
}

TEST_P(BerkeleyDbRoundTrip, ManyTablesOfAFewPages) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    EntrySource source(seed);
    const EntryMap entries = source.entries(source.random()() % 400);
    ASSERT_TRUE(write_index(path_, kind(), entries, false));
    expect_reader_sees(entries);
    expect_libdb_sees(entries);
  }
}

TEST_P(BerkeleyDbRoundTrip, KeysThatStartWithOthersInAndOutOfThePage) {
  EntryMap entries;
  for (std::size_t size : {0,    1,    2,    3,    10,   100,  1000, 1006, 1007, 1008, 1020, 1023,
                           1024, 1025, 1026, 2000, 4069, 4070, 4071, 4072, 8139, 8140, 8141, 9000}) {
    entries[std::string(size, 'k')] = "value";
    entries[std::string(size, 'k') + '\0'] = "another value";
    entries[std::string(size, 'k') + 'a'] = std::string(size, 'v');
    entries[std::string(size, 'k') + 'z'] = "";
  }
  for (const bool null_terminated : {false, true}) {
    SCOPED_TRACE(null_terminated);
    ASSERT_TRUE(write_index(path_, kind(), entries, null_terminated));
    const EntryMap stored = null_terminated ? with_nul(entries) : entries;
    expect_reader_sees(stored);
    expect_libdb_sees(stored);
  }
}

TEST_P(BerkeleyDbRoundTrip, LongKeysThatDifferAtTheirEnd) {
  EntryMap entries;
  for (int i = 0; i < 3000; ++i) entries[std::string(1500, 'k') + std::to_string(i)] = "value";
  ASSERT_TRUE(write_index(path_, kind(), entries, false));
  expect_reader_sees(entries);
  expect_libdb_sees(entries);
  // The inner pages of a tree have such keys too, and lose them.
  {
    LibdbFile libdb(path_, kind());
    while (entries.size() > 1000) {
      libdb.remove(entries.begin()->first);
      entries.erase(entries.begin());
    }
  }
  expect_reader_sees(entries);
  expect_libdb_sees(entries);
}

/// A key that may be there, or an unlikely one.
std::string some_key(const EntryMap& entries, EntrySource& source) {
  std::string key = source.key();
  if (source.random()() % 2 == 0) return key;
  const auto near = entries.lower_bound(key);
  return near == entries.end() ? key : near->first;
}

/// Removes, replaces or adds, in `update` and in `entries`.
void change(BerkeleyDbUpdate& update, EntryMap& entries, EntrySource& source) {
  const std::string key = some_key(entries, source);
  const std::string value = source.value();
  const bool is_there = entries.contains(key);
  const unsigned choice = source.random()() % 3;
  const Result<bool> done = choice == 0 ? update.remove(key) : update.store(key, value, choice == 1);
  ASSERT_TRUE(done) << done.error().message;
  switch (choice) {
    case 0:
      ASSERT_EQ(*done, is_there);
      entries.erase(key);
      break;
    case 1:
      ASSERT_TRUE(*done);
      entries[key] = value;
      break;
    default:
      ASSERT_EQ(*done, !is_there);
      entries.emplace(key, value);
      break;
  }
}

TEST_P(BerkeleyDbRoundTrip, OurFilesCanBeChangedByLibdb) {
  for (const std::size_t count : {0, 1, 100, 3000}) {
    SCOPED_TRACE(count);
    EntrySource source(static_cast<unsigned>(count) + 7);
    EntryMap entries = source.entries(count);
    ASSERT_TRUE(write_index(path_, kind(), entries, false));
    for (int round = 0; round < 3; ++round) {
      Result<BerkeleyDbUpdate> update = BerkeleyDbUpdate::open(path_, kind(), kCacheBytes);
      ASSERT_TRUE(update) << update.error().message;
      for (std::size_t i = 0; i < 500 + count / 4; ++i) change(*update, entries, source);
      const Result<void> finished = update->finish();
      ASSERT_TRUE(finished) << finished.error().message;
      expect_reader_sees(entries);
      expect_libdb_sees(entries);
    }
  }
}

TEST_P(BerkeleyDbRoundTrip, EverythingCanBeRemovedFromOurFile) {
  const EntryMap entries = EntrySource(11).entries(5000);
  ASSERT_TRUE(write_index(path_, kind(), entries, false));
  {
    LibdbFile libdb(path_, kind());
    for (const auto& [key, value] : entries) libdb.remove(key);
  }
  expect_reader_sees({});
  expect_libdb_sees({});
}

TEST_P(BerkeleyDbRoundTrip, FilesOfLibdbAreRead) {
  for (const u_int32_t page_size : {512, 4096, 65536}) {
    for (const int byte_order : {1234, 4321}) {
      for (const std::size_t count : {0, 1, 30, 1000, 2000}) {
        SCOPED_TRACE(testing::Message() << page_size << ' ' << byte_order << ' ' << count);
        EntrySource source(static_cast<unsigned>(count) + page_size);
        EntryMap entries = source.entries(count);
        EntryList order(entries.begin(), entries.end());
        std::shuffle(order.begin(), order.end(), source.random());
        std::filesystem::remove(path_);
        {
          LibdbFile libdb(path_, kind(), {page_size, byte_order});
          for (const auto& [key, value] : order) libdb.put(key, value);
          for (std::size_t i = 0; i < count / 3; ++i) {
            libdb.remove(order[i].first);
            entries.erase(order[i].first);
          }
        }
        expect_reader_sees(entries);
        EXPECT_EQ(LibdbFile(path_, kind()).list(), list(open()));
      }
    }
  }
}

/// What of a page is not left over from earlier use.
std::string meaningful_part(const std::string& file, std::size_t number) {
  std::string page = file.substr(number * 4096, 4096);
  if (number == 0)
    return page.replace(berkeley_db::metadata::kFileId, berkeley_db::metadata::kFileIdSize, "");
  const berkeley_db::Page view(berkeley_db::FileBytes(page, false));
  if (view.number() == 0) return "unused";
  if (view.entries() == 0 && view.type() == berkeley_db::PageType::kHash) return "unused";
  return page.substr(0, view.offsets_end()) + page.substr(view.lowest());
}

TEST_P(BerkeleyDbRoundTrip, SmallTablesAreThoseOfLibdbByteForByte) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    EntryMap entries;
    EntrySource source(seed);
    for (std::size_t i = source.random()() % 50; i > 0; --i) {
      std::string key;
      do key = source.key();
      while (key.size() > 100);
      entries[key] = std::string(source.random()() % 30, 'v');
    }
    ASSERT_TRUE(write_index(path_, kind(), entries, true));
    const std::string other = directory_.path("libdb.db");
    std::filesystem::remove(other);
    {
      LibdbFile libdb(other, kind(), {});
      for (const auto& [key, value] : with_nul(entries)) libdb.put(key, value);
    }
    const std::string ours = directory_.read("index.db");
    const std::string theirs = directory_.read("libdb.db");
    ASSERT_EQ(ours.size(), theirs.size());
    for (std::size_t page = 0; page < ours.size() / 4096; ++page) {
      EXPECT_EQ(meaningful_part(ours, page), meaningful_part(theirs, page)) << page;
    }
  }
}

TEST_P(BerkeleyDbRoundTrip, AnUpdateCreatesItsFile) {
  for (const bool is_there : {false, true}) {
    std::filesystem::remove(path_);
    if (is_there) directory_.write("index.db", "");
    Result<BerkeleyDbUpdate> update = BerkeleyDbUpdate::open(path_, kind(), kCacheBytes);
    ASSERT_TRUE(update) << update.error().message;
    ASSERT_TRUE(update->store("key", "value", false));
    ASSERT_TRUE(update->finish());
    expect_reader_sees({{"key", "value"}});
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, BerkeleyDbRoundTrip,
                         testing::Values(KindCase{"hash", BerkeleyDbKind::kHash},
                                         KindCase{"btree", BerkeleyDbKind::kBtree}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace libmaps
