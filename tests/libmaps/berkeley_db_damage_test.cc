// Damaged and foreign files: an error in plain words, and never a crash.
#include <gtest/gtest.h>

#include "libmaps/berkeley_db_update.h"
#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/berkeley_db_samples.h"

namespace libmaps {
namespace {

using namespace berkeley_db;

constexpr BerkeleyDbKind kKinds[] = {BerkeleyDbKind::kHash, BerkeleyDbKind::kBtree};

/// A file of ours.
std::string file_of(BerkeleyDbKind kind, const EntryMap& entries) {
  const postkit_test::TempDirectory directory;
  const Result<void> written = write_index(directory.path("index.db"), kind, entries, true);
  if (!written) throw std::runtime_error(written.error().message);
  return directory.read("index.db");
}

/// A file of libdb.
std::string libdb_file_of(BerkeleyDbKind kind, const EntryMap& entries, const LibdbFile::Options& options) {
  const postkit_test::TempDirectory directory;
  {
    LibdbFile libdb(directory.path("index.db"), kind, options);
    for (const auto& [key, value] : entries) libdb.put(key, value);
  }
  return directory.read("index.db");
}

struct Damage {
  const char* name;
  BerkeleyDbKind kind;
  std::size_t offset;  ///< Where the file gets `number`.
  std::uint32_t number;
  ErrorKind error;
  const char* message;
};

// Page 1 is the first bucket, and the root.
constexpr Damage kDamages[] = {
    {"magic", BerkeleyDbKind::kHash, metadata::kMagic, 1, ErrorKind::kDataCorrupt,
     "not a Berkeley DB hash file"},
    {"btree for hash", BerkeleyDbKind::kHash, metadata::kMagic, kBtreeMagic, ErrorKind::kDataCorrupt,
     "not a Berkeley DB hash file, but a btree file"},
    {"queue for btree", BerkeleyDbKind::kBtree, metadata::kMagic, kQueueMagic, ErrorKind::kDataCorrupt,
     "not a Berkeley DB btree file, but a queue file"},
    {"old version", BerkeleyDbKind::kBtree, metadata::kVersion, 7, ErrorKind::kUnsupported,
     "a Berkeley DB btree file of version 7, which is not supported"},
    {"page size", BerkeleyDbKind::kHash, metadata::kPageSize, 1000, ErrorKind::kDataCorrupt,
     "damaged at page 0: a page size of 1000"},
    {"large page size", BerkeleyDbKind::kHash, metadata::kPageSize, 65536, ErrorKind::kDataCorrupt,
     "damaged at page 0: the file ends in this page"},
    {"encryption", BerkeleyDbKind::kHash, metadata::kEncryption, 1, ErrorKind::kUnsupported,
     "a Berkeley DB hash file with encryption, which Postfix tables do not have"},
    {"checksums", BerkeleyDbKind::kHash, metadata::kMetaFlags, 1, ErrorKind::kUnsupported,
     "a Berkeley DB hash file with checksums or partitions, which Postfix tables do not have"},
    {"duplicates", BerkeleyDbKind::kBtree, metadata::kFlags, 1, ErrorKind::kUnsupported,
     "a Berkeley DB btree file with duplicate keys, record numbers or several databases, which Postfix "
     "tables do not have"},
    {"hash function", BerkeleyDbKind::kHash, metadata::kHashOfCharkey, 1, ErrorKind::kUnsupported,
     "a Berkeley DB hash file with another hash function than Postfix tables have"},
    {"buckets", BerkeleyDbKind::kHash, metadata::kMaxBucket, 0xFFFFFFFF, ErrorKind::kDataCorrupt,
     "damaged at page 0: more buckets than pages"},
    {"masks", BerkeleyDbKind::kHash, metadata::kHighMask, 3, ErrorKind::kDataCorrupt,
     "damaged at page 0: masks that do not fit the number of buckets"},
    {"no root", BerkeleyDbKind::kBtree, metadata::kRoot, 0, ErrorKind::kDataCorrupt,
     "damaged at page 0: a reference to no page"},
    {"root beyond the end", BerkeleyDbKind::kBtree, metadata::kRoot, 1000, ErrorKind::kDataCorrupt,
     "damaged at page 1000: the file ends before this page"},
    {"page number", BerkeleyDbKind::kHash, 4096 + page::kNumber, 2, ErrorKind::kDataCorrupt,
     "damaged at page 1: it has the number of another page"},
    {"page type", BerkeleyDbKind::kHash, 4096 + page::kType, 5, ErrorKind::kDataCorrupt,
     "damaged at page 1: not a page of a bucket"},
    {"circle of leaves", BerkeleyDbKind::kBtree, 4096 + page::kNext, 1, ErrorKind::kDataCorrupt,
     "damaged at page 1: pages form a circle"},
    {"circle of a bucket", BerkeleyDbKind::kHash, 4096 + page::kNext, 1, ErrorKind::kDataCorrupt,
     "damaged at page 1: pages form a circle"},
    {"odd number of items", BerkeleyDbKind::kBtree, 4096 + page::kEntries, 3, ErrorKind::kDataCorrupt,
     "damaged at page 1: a wrong number of items"},
    {"item out of place", BerkeleyDbKind::kHash, 4096 + page::kHeadSize, 0, ErrorKind::kDataCorrupt,
     "damaged at page 1: an item that is out of place"},
    {"item beyond the page", BerkeleyDbKind::kBtree, 4096 + page::kHeadSize, 0xFFFFFFFF,
     ErrorKind::kDataCorrupt, "damaged at page 1: an item that is out of place"},
};

TEST(BerkeleyDbDamage, IsToldInPlainWords) {
  const EntryMap entries = {{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}};
  for (const Damage& damage : kDamages) {
    SCOPED_TRACE(damage.name);
    std::string bytes = file_of(damage.kind, entries);
    ASSERT_TRUE(BerkeleyDbIndex::over(bytes, damage.kind));
    store(bytes.data() + damage.offset, damage.number);
    const auto file = BerkeleyDbIndex::over(bytes, damage.kind);
    const auto visit = [](std::string_view, std::string_view) { return Result<void>(); };
    const Error error = file ? file->for_each(visit).error() : file.error();
    EXPECT_EQ(error.message, damage.message);
    EXPECT_EQ(error.kind, damage.error);
  }
}

TEST(BerkeleyDbDamage, ForeignFilesAreNotTables) {
  const struct {
    const char* text;
    const char* message;
  } kCases[] = {{"", "not a Berkeley DB hash file: it is empty"},
                {"key value\n", "not a Berkeley DB hash file"}};
  for (const auto& [text, message] : kCases) {
    const auto file = BerkeleyDbIndex::over(text, BerkeleyDbKind::kHash);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().message, message);
    EXPECT_EQ(file.error().kind, ErrorKind::kDataCorrupt);
  }
}

TEST(BerkeleyDbDamage, FilesWithDuplicatesOrSeveralDatabasesAreRefused) {
  const postkit_test::TempDirectory directory;
  for (const BerkeleyDbKind kind : kKinds) {
    for (const bool has_names : {false, true}) {
      const std::string path = directory.path("index.db");
      std::filesystem::remove(path);
      DB* db = nullptr;
      expect_zero(::db_create(&db, nullptr, 0), "db_create");
      if (!has_names) expect_zero(db->set_flags(db, DB_DUP), "set_flags");
      const DBTYPE type = kind == BerkeleyDbKind::kHash ? DB_HASH : DB_BTREE;
      expect_zero(db->open(db, nullptr, path.c_str(), has_names ? "name" : nullptr, type, DB_CREATE, 0644),
                  "open");
      db->close(db, 0);
      EXPECT_FALSE(OpenedIndex::open(path, kind));
      EXPECT_FALSE(BerkeleyDbUpdate::open(path, kind, 0));
    }
  }
}

TEST(BerkeleyDbDamage, AnUpdateDoesNotTouchADamagedFile) {
  const postkit_test::TempDirectory directory;
  for (const BerkeleyDbKind kind : kKinds) {
    std::string bytes = file_of(kind, {{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}});
    // Nothing but libdb's next insertion would use this.
    store(bytes.data() + 4096 + page::kLowest, std::uint16_t{10});
    directory.write("index.db", bytes);
    const auto update = BerkeleyDbUpdate::open(directory.path("index.db"), kind, 0);
    ASSERT_FALSE(update);
    EXPECT_EQ(update.error().kind, ErrorKind::kDataCorrupt);
    EXPECT_EQ(directory.read("index.db"), bytes);
  }
}

/// Changes a few bytes, most of them where the numbers are, or cuts the end off.
std::string damage(std::string bytes, std::size_t page_size, std::mt19937& random) {
  if (random() % 16 == 0) bytes.resize(random() % bytes.size());
  if (bytes.empty()) return bytes;
  for (std::size_t i = 1 + random() % 4; i > 0; --i) {
    std::size_t at = random() % bytes.size();
    if (random() % 2 == 0) at = std::min(at / page_size * page_size + random() % 60, bytes.size() - 1);
    const bool is_small_number = random() % 2 == 0;
    bytes[at] = static_cast<char>(is_small_number ? random() % 16 : random() & 0xFF);
  }
  return bytes;
}

/// Reads all that can be read. Returns whether the structure is sound; then all that is listed is found.
bool read_everything(std::string_view bytes, BerkeleyDbKind kind) {
  const auto file = BerkeleyDbIndex::over(bytes, kind);
  if (!file) return false;
  std::string scratch;
  std::vector<std::string> keys;
  const Result<void> listed = file->for_each([&](std::string_view key, std::string_view) -> Result<void> {
    keys.emplace_back(key);
    return {};
  });
  const bool is_sound = file->check_structure().has_value();
  EXPECT_TRUE(listed || !is_sound);
  for (const std::string& key : keys) {
    const auto found = file->find(key, scratch);
    EXPECT_TRUE(!is_sound || (found && found->has_value())) << testing::PrintToString(key);
  }
  return is_sound;
}

TEST(BerkeleyDbDamage, NoDamageCrashesTheReader) {
  std::mt19937 random(20);
  int sound = 0;
  int all = 0;
  for (const BerkeleyDbKind kind : kKinds) {
    const EntryMap entries = EntrySource(21).entries(120);
    const std::string ours = file_of(kind, entries);
    const std::string small_pages = libdb_file_of(kind, entries, {512, 1234});
    const std::string swapped = libdb_file_of(kind, entries, {1024, 4321});
    for (const auto& [bytes, page_size] :
         {std::pair(&ours, 4096), std::pair(&small_pages, 512), std::pair(&swapped, 1024)}) {
      ASSERT_TRUE(read_everything(*bytes, kind));
      for (int i = 0; i < 500; ++i) {
        ++all;
        if (read_everything(damage(*bytes, static_cast<std::size_t>(page_size), random), kind)) ++sound;
      }
    }
  }
  // Much damage is to the texts of items; more of it would be missed by a check of the structure that is
  // weak.
  EXPECT_GT(sound, 0);
  EXPECT_LT(sound, all / 2);
}

TEST(BerkeleyDbDamage, LibdbSurvivesWhatTheCheckLetsPass) {
  const postkit_test::TempDirectory directory;
  const std::string path = directory.path("index.db");
  std::mt19937 random(30);
  for (const BerkeleyDbKind kind : kKinds) {
    const EntryMap entries = EntrySource(31).entries(120);
    for (const u_int32_t page_size : {512, 4096}) {
      const std::string bytes = libdb_file_of(kind, entries, {page_size, 1234});
      for (int i = 0; i < 100; ++i) {
        directory.write("index.db", damage(bytes, page_size, random));
        Result<BerkeleyDbUpdate> update = BerkeleyDbUpdate::open(path, kind, std::size_t{1} << 20);
        if (!update) continue;
        EntrySource source(static_cast<unsigned>(i));
        // Errors are fine, as long as libdb neither crashes nor goes on for ever.
        for (const auto& [key, value] : entries) {
          static_cast<void>(update->remove(key));
          static_cast<void>(update->store(source.key(), source.value(), true));
        }
        static_cast<void>(update->finish());
      }
    }
  }
}

}  // namespace
}  // namespace libmaps
