#include "libmaps/lmdb_update.h"

#include <gtest/gtest.h>

#include "libmaps/lmdb_writer.h"
#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/index_samples.h"
#include "tests/libmaps/lmdb_file.h"

namespace libmaps {
namespace {

using postkit_test::TempDirectory;

constexpr std::uint64_t kMapSize = 16777216;

Result<LmdbUpdate> open_update(const std::string& path, std::uint64_t map_size = kMapSize) {
  return LmdbUpdate::open(
      path, libconf::FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)), map_size);
}

void expect_file_holds(const std::string& path, const Sample& sample) {
  Result<LmdbFile> file = LmdbFile::open(path);
  ASSERT_TRUE(file) << file.error().message;
  expect_holds(*file, sample);
  const Result<void> checked = file->check();
  EXPECT_TRUE(checked) << checked.error().message;
}

TEST(LmdbUpdate, CreatesAFile) {
  const TempDirectory directory;
  Result<LmdbUpdate> update = open_update(directory.path("t"));
  ASSERT_TRUE(update) << update.error().message;
  EXPECT_TRUE(update->store("a", "1", false).value());
  ASSERT_TRUE(update->finish());
  expect_file_holds(directory.path("t"), {{"a", "1"}});
}

TEST(LmdbUpdate, KeepsOrReplacesWhatIsThere) {
  const TempDirectory directory;
  ASSERT_TRUE(write_sample(write_lmdb_index, {{"a", "1"}, {"b", "2"}}, {.null_terminated = false},
                           directory.path("t")));
  Result<LmdbUpdate> update = open_update(directory.path("t"));
  ASSERT_TRUE(update) << update.error().message;
  EXPECT_FALSE(update->store("a", "x", false).value());
  EXPECT_TRUE(update->store("b", "y", true).value());
  EXPECT_TRUE(update->store("c", "", true).value());
  EXPECT_EQ(update->find("a").value(), "1");
  EXPECT_EQ(update->find("b").value(), "y");
  EXPECT_EQ(update->find("d").value(), std::nullopt);
  ASSERT_TRUE(update->finish());
  expect_file_holds(directory.path("t"), {{"a", "1"}, {"b", "y"}, {"c", ""}});
}

TEST(LmdbUpdate, RemovesAndTellsWhetherThereWasSomething) {
  const TempDirectory directory;
  ASSERT_TRUE(write_sample(write_lmdb_index, {{"a", "1"}, {"b", "2"}}, {.null_terminated = false},
                           directory.path("t")));
  Result<LmdbUpdate> update = open_update(directory.path("t"));
  ASSERT_TRUE(update);
  EXPECT_TRUE(update->remove("a").value());
  EXPECT_FALSE(update->remove("a").value());
  EXPECT_FALSE(update->remove("").value());
  EXPECT_FALSE(update->remove(std::string(600, 'k')).value());
  ASSERT_TRUE(update->finish());
  expect_file_holds(directory.path("t"), {{"b", "2"}});
}

TEST(LmdbUpdate, ChangesNothingWithoutFinish) {
  const TempDirectory directory;
  ASSERT_TRUE(write_sample(write_lmdb_index, {{"a", "1"}}, {.null_terminated = false}, directory.path("t")));
  const std::string before = directory.read("t");
  {
    Result<LmdbUpdate> update = open_update(directory.path("t"));
    ASSERT_TRUE(update);
    EXPECT_TRUE(update->store("b", "2", true).value());
  }
  EXPECT_TRUE(directory.read("t") == before);
}

TEST(LmdbUpdate, LosesNothingWhenTheMapFillsUp) {
  const TempDirectory directory;
  std::mt19937 random(50);
  Sample sample = random_sample(random, 3000);
  ASSERT_TRUE(write_sample(write_lmdb_index, sample, {.null_terminated = false}, directory.path("t")));
  Result<LmdbUpdate> update = open_update(directory.path("t"), 65536);
  ASSERT_TRUE(update) << update.error().message;
  for (int i = 0; i < 1000; ++i) {
    const auto removed = sample.lower_bound(sample_bytes(random, 3));
    if (removed == sample.end()) continue;
    ASSERT_TRUE(update->remove(removed->first).value());
    sample.erase(removed);
  }
  for (const auto& [key, value] : random_sample(random, 10000)) {
    const Result<bool> stored = update->store(key, value, true);
    ASSERT_TRUE(stored) << stored.error().message;
    sample[key] = value;
  }
  const Result<void> finished = update->finish();
  ASSERT_TRUE(finished) << finished.error().message;
  expect_file_holds(directory.path("t"), sample);
}

TEST(LmdbUpdate, GoesOnAfterAKeyThatTheFormatDoesNotHave) {
  const TempDirectory directory;
  Result<LmdbUpdate> update = open_update(directory.path("t"));
  ASSERT_TRUE(update);
  EXPECT_TRUE(update->store("a", "1", false).value());
  const Result<bool> stored = update->store(std::string(512, 'k'), "v", false);
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().kind, ErrorKind::kConfiguration);
  EXPECT_EQ(stored.error().message,
            "MDB_BAD_VALSIZE: Unsupported size of key/DB name/data, or wrong DUPFIXED size");
  EXPECT_TRUE(update->store(std::string(511, 'k'), "v", false).value());
  ASSERT_TRUE(update->finish());
  expect_file_holds(directory.path("t"), {{"a", "1"}, {std::string(511, 'k'), "v"}});
}

TEST(LmdbUpdate, RefusesWhatIsNoSoundDatabase) {
  const TempDirectory directory;
  ASSERT_TRUE(write_sample(write_lmdb_index, {{"a", "1"}}, {}, directory.path("good")));
  const std::string good = directory.read("good");
  const std::pair<std::string, std::string_view> cases[] = {
      {"some text\n", "MDB_INVALID: File is not an LMDB file"},
      {good.substr(0, 8192), "LMDB file is damaged at page 2"},
  };
  for (const auto& [bytes, message] : cases) {
    directory.write("t", bytes);
    const Result<LmdbUpdate> update = open_update(directory.path("t"));
    ASSERT_FALSE(update);
    EXPECT_EQ(update.error().kind, ErrorKind::kDataCorrupt);
    EXPECT_EQ(update.error().message, message);
    EXPECT_EQ(directory.read("t"), bytes);
  }
}

TEST(LmdbUpdate, RefusesAPathThatNamesAnotherFile) {
  const TempDirectory directory;
  ASSERT_TRUE(write_sample(write_lmdb_index, {}, {}, directory.path("a")));
  ASSERT_TRUE(write_sample(write_lmdb_index, {}, {}, directory.path("b")));
  const Result<LmdbUpdate> update = LmdbUpdate::open(
      directory.path("a"), libconf::FileDescriptor(::open(directory.path("b").c_str(), O_RDWR)), kMapSize);
  ASSERT_FALSE(update);
  EXPECT_EQ(update.error().kind, ErrorKind::kTemporary);
}

}  // namespace
}  // namespace libmaps
