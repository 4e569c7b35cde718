#include "libmaps/lmdb_writer.h"

#include <gtest/gtest.h>

#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/lmdb_file.h"
#include "tests/libmaps/lmdb_library.h"

namespace libmaps {
namespace {

using postkit_test::TempDirectory;

TEST(LmdbWriter, WritesWhatTheLibraryAndOurReaderRead) {
  const TempDirectory directory;
  const std::string path = directory.path("t.lmdb");
  std::mt19937 random(30);
  for (const std::size_t size : kSampleSizes) {
    for (const bool null_terminated : {false, true}) {
      SCOPED_TRACE(testing::Message() << size << " entries, NUL " << null_terminated);
      const IndexOptions options{.null_terminated = null_terminated};
      const Sample sample = random_sample(random, size);
      const Result<void> written = write_sample(write_lmdb_index, sample, options, path);
      ASSERT_TRUE(written) << written.error().message;

      const Sample stored = stored_form(sample, options);
      EXPECT_TRUE(LmdbLibrary(path).contents() == stored);
      Result<LmdbFile> file = LmdbFile::open(path);
      ASSERT_TRUE(file) << file.error().message;
      expect_holds(*file, stored);
      const Result<void> checked = file->check();
      EXPECT_TRUE(checked) << checked.error().message;
    }
  }
}

TEST(LmdbWriter, WritesTheBytesOfAStockFile) {
  const TempDirectory directory;
  for (const auto& sample : {Sample{}, Sample{{"a", "1"}, {"bb", "22"}, {"ccc", "333"}}}) {
    ASSERT_TRUE(write_sample(write_lmdb_index, sample, {}, directory.path("ours")));
    {
      LmdbLibrary library(directory.path("library"), 16777216);
      library.change([&](MDB_txn* transaction, MDB_dbi entries) {
        for (const auto& [key, value] : stored_form(sample, {}))
          LmdbLibrary::put(transaction, entries, key, value);
      });
    }
    std::string ours = directory.read("ours");
    const std::string library = directory.read("library");
    EXPECT_EQ(ours.size(), library.size());
    // A transaction without changes is none.
    EXPECT_TRUE(sample.empty() || ours == library);
    std::filesystem::remove(directory.path("library"));
  }
}

TEST(LmdbWriter, CountsPagesAsTheLibraryDoes) {
  const TempDirectory directory;
  std::mt19937 random(31);
  const Sample sample = random_sample(random, 20000);
  ASSERT_TRUE(write_sample(write_lmdb_index, sample, {.null_terminated = false}, directory.path("ours")));
  LmdbLibrary(directory.path("library")).change([&](MDB_txn* transaction, MDB_dbi entries) {
    for (const auto& [key, value] : sample) LmdbLibrary::put(transaction, entries, key, value);
  });
  const MDB_stat ours = LmdbLibrary(directory.path("ours")).statistics();
  const MDB_stat library = LmdbLibrary(directory.path("library")).statistics();
  EXPECT_EQ(ours.ms_entries, library.ms_entries);
  EXPECT_EQ(ours.ms_overflow_pages, library.ms_overflow_pages);
  EXPECT_LE(ours.ms_leaf_pages, library.ms_leaf_pages);
  EXPECT_LE(ours.ms_depth, library.ms_depth);
}

TEST(LmdbWriter, PutsValuesOnOverflowPagesWhereTheLibraryDoes) {
  const TempDirectory directory;
  // Around half a page, and around one and two pages.
  for (const std::size_t size : {0, 2027, 2028, 2029, 2030, 4079, 4080, 4081, 8175, 8176, 8177, 100000}) {
    const Sample sample = {{"a", std::string(size, 'v')}, {"b", "x"}};
    ASSERT_TRUE(write_sample(write_lmdb_index, sample, {.null_terminated = false}, directory.path("ours")));
    LmdbLibrary ours(directory.path("ours"));
    EXPECT_TRUE(ours.contents() == sample) << size;
    LmdbLibrary library(directory.path("library"));
    library.change([&](MDB_txn* transaction, MDB_dbi entries) {
      for (const auto& [key, value] : sample) LmdbLibrary::put(transaction, entries, key, value);
    });
    EXPECT_EQ(ours.statistics().ms_overflow_pages, library.statistics().ms_overflow_pages) << size;
  }
}

// liblmdb aborts at a branch page with one child: the last one of a level must not come to that.
TEST(LmdbWriter, LeavesNoBranchWithASingleChild) {
  const TempDirectory directory;
  Sample sample;
  for (int i = 0; i < 1500; ++i) {
    // One entry a leaf, and six or seven children a branch.
    sample[std::to_string(10000 + i) + std::string(500, 'k')] = std::string(1500, 'v');
    if (i > 100 && i % 7 != 0 && i < 1450) continue;
    ASSERT_TRUE(write_sample(write_lmdb_index, sample, {.null_terminated = false}, directory.path("t")));
    const Result<void> checked = LmdbFile::open(directory.path("t"))->check();
    ASSERT_TRUE(checked) << i << ": " << checked.error().message;
    LmdbLibrary library(directory.path("t"));
    library.change([&](MDB_txn* transaction, MDB_dbi entries) {
      LmdbLibrary::put(transaction, entries, "zz" + std::string(500, 'k'), "x");
    });
  }
}

TEST(LmdbWriter, LeavesAFileThatTheLibraryCanChange) {
  const TempDirectory directory;
  const std::string path = directory.path("t.lmdb");
  std::mt19937 random(32);
  for (const std::size_t size : {0, 1, 2, 300, 20000}) {
    SCOPED_TRACE(size);
    Sample sample = random_sample(random, size);
    ASSERT_TRUE(write_sample(write_lmdb_index, sample, {.null_terminated = false}, path));
    LmdbLibrary library(path);
    for (int round = 0; round < 10; ++round) {
      change_at_random(library, sample, random, 1000);
      const Result<LmdbFile> file = LmdbFile::open(path);
      ASSERT_TRUE(file) << file.error().message;
      EXPECT_TRUE(listed(*file) == in_order(sample));
    }
  }
}

TEST(LmdbWriter, DoublesTheMapSizeUntilTheFileFits) {
  const TempDirectory directory;
  // Two meta pages, 25 overflow pages and a leaf: 114688 bytes.
  const Sample sample = {{"a", std::string(100000, 'v')}};
  const std::pair<std::uint64_t, std::uint64_t> cases[] = {
      {16777216, 16777216}, {114688, 114688}, {114687, 229374}, {1, 131072}};
  for (const auto& [setting, expected] : cases) {
    const IndexOptions options{.null_terminated = true, .map_size = setting};
    ASSERT_TRUE(write_sample(write_lmdb_index, sample, options, directory.path("t")));
    // The library takes the file's own size when it is given none.
    EXPECT_EQ(LmdbLibrary(directory.path("t"), 0).information().me_mapsize, expected) << setting;
  }
}

TEST(LmdbWriter, RefusesKeysThatTheFormatDoesNotHave) {
  const TempDirectory directory;
  const IndexOptions terminated;
  const IndexOptions plain{.null_terminated = false};
  const auto write = [&](std::size_t key_size, const IndexOptions& options) {
    return write_sample(write_lmdb_index, {{std::string(key_size, 'k'), "v"}}, options, directory.path("t"));
  };
  EXPECT_TRUE(write(0, terminated));
  EXPECT_TRUE(write(510, terminated));
  EXPECT_TRUE(write(511, plain));
  for (const Result<void>& written : {write(511, terminated), write(512, plain), write(0, plain)}) {
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().kind, ErrorKind::kConfiguration);
    // As postmap(1) of Postfix 3.7 has it after "error updating lmdb:NAME: ".
    EXPECT_EQ(written.error().message,
              "MDB_BAD_VALSIZE: Unsupported size of key/DB name/data, or wrong DUPFIXED size");
  }
}

TEST(LmdbWriter, WritesValuesLargerThanItsBlocks) {
  const TempDirectory directory;
  std::mt19937 random(34);
  Sample sample;
  for (const std::size_t size :
       {std::size_t{1} << 20, std::size_t{3000001}, std::size_t{0}, std::size_t{5}}) {
    std::string value(size, 'v');
    for (std::size_t i = 0; i < size; i += 1000) value[i] = static_cast<char>(random());
    sample["k" + std::to_string(size)] = value;
  }
  ASSERT_TRUE(write_sample(write_lmdb_index, sample, {}, directory.path("t")));
  Result<LmdbFile> file = LmdbFile::open(directory.path("t"));
  ASSERT_TRUE(file) << file.error().message;
  expect_holds(*file, stored_form(sample, {}));
  EXPECT_TRUE(LmdbLibrary(directory.path("t")).contents() == stored_form(sample, {}));
}

TEST(LmdbWriter, ReportsAFullDisk) {
  const libconf::FileDescriptor full(::open("/dev/full", O_WRONLY));
  const Result<void> written = write_lmdb_index({}, {}, full.get());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message, "No space left on device");
}

}  // namespace
}  // namespace libmaps
