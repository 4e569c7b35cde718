#include "tests/libmaps/lmdb_file.h"

#include <gtest/gtest.h>

#include "libmaps/lmdb_writer.h"
#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/lmdb_library.h"

namespace libmaps {
namespace {

using postkit_test::TempDirectory;

TEST(LmdbTree, ReadsWhatTheLibraryWrote) {
  const TempDirectory directory;
  const std::string path = directory.path("t.lmdb");
  std::mt19937 random(40);
  Sample sample;
  LmdbLibrary library(path);
  for (int round = 0; round < 18; ++round) {
    SCOPED_TRACE(round);
    // Grows for a while, and shrinks to the end.
    for (int i = 0; i < (round < 12 ? 3 : 0); ++i) {
      library.change([&](MDB_txn* transaction, MDB_dbi entries) {
        for (const auto& [key, value] : random_sample(random, 200)) {
          LmdbLibrary::put(transaction, entries, key, value);
          sample[key] = value;
        }
      });
    }
    change_at_random(library, sample, random, round < 12 ? 200 : 2000);
    Result<LmdbFile> file = LmdbFile::open(path);
    ASSERT_TRUE(file) << file.error().message;
    expect_holds(*file, sample);
    const Result<void> checked = file->check();
    ASSERT_TRUE(checked) << checked.error().message;
  }
}

TEST(LmdbTree, RefreshesToWhatHasChanged) {
  const TempDirectory directory;
  const std::string path = directory.path("t.lmdb");
  ASSERT_TRUE(write_sample(write_lmdb_index, {{"a", "1"}}, {.null_terminated = false}, path));
  Result<LmdbFile> file = LmdbFile::open(path);
  ASSERT_TRUE(file);
  const std::string large(100000, 'x');
  LmdbLibrary(path).change([&](MDB_txn* transaction, MDB_dbi entries) {
    LmdbLibrary::put(transaction, entries, "a", large);
    LmdbLibrary::put(transaction, entries, "b", "2");
  });
  ASSERT_TRUE(file->refresh());
  EXPECT_EQ(file->find("a").value(), large);
  EXPECT_EQ(file->find("b").value(), "2");

  std::filesystem::resize_file(path, 0);
  EXPECT_FALSE(file->refresh());
}

TEST(LmdbTree, ReadsAnEmptyDatabase) {
  const TempDirectory directory;
  LmdbLibrary library(directory.path("t"));
  Result<LmdbFile> file = LmdbFile::open(directory.path("t"));
  ASSERT_TRUE(file) << file.error().message;
  expect_holds(*file, {});
  EXPECT_EQ(file->find("a").value(), std::nullopt);
  EXPECT_EQ(file->find("").value(), std::nullopt);
  EXPECT_TRUE(file->check());
}

/// The bytes of a file with `sample`.
std::string file_of(const Sample& sample) {
  const TempDirectory directory;
  EXPECT_TRUE(write_sample(write_lmdb_index, sample, {.null_terminated = false}, directory.path("t")));
  return directory.read("t");
}

TEST(LmdbTree, TellsFilesOfOtherFormats) {
  const std::string good = file_of({{"a", "1"}});
  const auto changed = [&](std::size_t position, char value) {
    std::string bytes = good;
    bytes[position] = value;
    return bytes;
  };
  const std::string_view foreign = "MDB_INVALID: File is not an LMDB file";
  struct Case {
    std::string_view name;
    std::string bytes;
    ErrorKind kind;
    std::string_view message;
  };
  const Case cases[] = {
      {"empty", "", ErrorKind::kDataCorrupt, foreign},
      {"text", std::string(9000, 'x'), ErrorKind::kDataCorrupt, foreign},
      {"one page", good.substr(0, 4096), ErrorKind::kDataCorrupt, foreign},
      {"magic number", changed(16, 'x'), ErrorKind::kDataCorrupt, foreign},
      {"magic number of the second page", changed(4096 + 16, 'x'), ErrorKind::kDataCorrupt, foreign},
      {"version", changed(20, 2), ErrorKind::kUnsupported,
       "MDB_VERSION_MISMATCH: Database environment version mismatch"},
      {"page size", changed(4096 + 41, 0x20), ErrorKind::kUnsupported, "LMDB file has pages of another size"},
      {"kind of entries", changed(4096 + 16 + 72 + 4, 4), ErrorKind::kUnsupported,
       "LMDB file has entries of another kind"},
      {"depth", changed(4096 + 16 + 72 + 6, 33), ErrorKind::kDataCorrupt, "LMDB file has a damaged header"},
  };
  for (const Case& c : cases) {
    const Result<LmdbTree> tree = LmdbTree::over(c.bytes);
    ASSERT_FALSE(tree) << c.name;
    EXPECT_EQ(tree.error().kind, c.kind) << c.name;
    EXPECT_EQ(tree.error().message, c.message) << c.name;
  }
}

TEST(LmdbTree, TakesACutFileForAnError) {
  const std::string good = file_of({{"a", "1"}});
  const Result<LmdbTree> tree = LmdbTree::over(std::string_view(good).substr(0, 8192));
  ASSERT_TRUE(tree);
  const auto found = tree->find("a");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kDataCorrupt);
  EXPECT_EQ(found.error().message, "LMDB file is damaged at page 2");
  EXPECT_FALSE(tree->check());
}

/// A file of several levels with overflow pages and free pages.
std::string varied_file() {
  const TempDirectory directory;
  std::mt19937 random(41);
  Sample sample = random_sample(random, 700);
  EXPECT_TRUE(write_sample(write_lmdb_index, sample, {.null_terminated = false}, directory.path("t")));
  {
    LmdbLibrary library(directory.path("t"));
    for (int i = 0; i < 3; ++i) change_at_random(library, sample, random, 100);
  }
  return directory.read("t");
}

/// Changes fields of headers more often than contents.
std::string damaged_file(std::string bytes, std::mt19937& random) {
  for (std::size_t i = random() % 4 + 1; i > 0; --i) {
    const std::size_t page = random() % (bytes.size() / lmdb::kPageSize);
    const std::size_t limit = random() % 2 == 0 ? lmdb::kPageSize : 200;
    const std::size_t offset = random() % 2 == 0 ? random() % limit : lmdb::kPageSize - 1 - random() % limit;
    bytes[page * lmdb::kPageSize + offset] ^= static_cast<char>(1 << random() % 8);
  }
  if (random() % 4 == 0) bytes.resize(random() % bytes.size());
  return bytes;
}

TEST(LmdbTree, SurvivesDamage) {
  std::mt19937 random(42);
  const std::string good = varied_file();
  int errors = 0;
  for (int i = 0; i < 1500; ++i) {
    const std::string bytes = damaged_file(good, random);
    const Result<LmdbTree> tree = LmdbTree::over(bytes);
    if (!tree) continue;
    int visits = 0;
    const Result<void> visited =
        tree->for_each([&](std::string_view key, std::string_view value) -> Result<void> {
          // All of them would take too long.
          if (++visits % 50 != 0) return {};
          const auto found = tree->find(key);
          EXPECT_TRUE(found && *found == value);
          return {};
        });
    const Result<void> checked = tree->check();
    EXPECT_TRUE(visited || !checked);
    errors += checked ? 0 : 1;
    for (int j = 0; j < 50; ++j) static_cast<void>(tree->find(sample_bytes(random, 4)).has_value());
  }
  EXPECT_GT(errors, 400);
}

// What check() passes, liblmdb must survive: it trusts every byte.
TEST(LmdbTree, ChecksWhatTheLibraryTrusts) {
  const TempDirectory directory;
  std::mt19937 random(43);
  const std::string good = varied_file();
  int passed = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string bytes = damaged_file(good, random);
    const Result<LmdbTree> tree = LmdbTree::over(bytes);
    if (!tree || !tree->check()) continue;
    ++passed;
    Sample sample;
    ASSERT_TRUE(tree->for_each([&](std::string_view key, std::string_view value) -> Result<void> {
      sample.emplace(key, value);
      return {};
    }));
    directory.write("t", bytes);
    LmdbLibrary library(directory.path("t"));
    EXPECT_TRUE(library.contents() == sample);
    for (int round = 0; round < 3; ++round) change_at_random(library, sample, random, 100);
    EXPECT_TRUE(library.contents() == sample);
  }
  EXPECT_GT(passed, 10);
}

}  // namespace
}  // namespace libmaps
