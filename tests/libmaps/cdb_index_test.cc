#include "libmaps/cdb_index.h"

#include <gtest/gtest.h>

#include "libmaps/cdb_writer.h"
#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/index_samples.h"

namespace libmaps {
namespace {

using postkit_test::TempDirectory;

std::uint32_t number_at(std::string_view bytes, std::size_t position) {
  std::uint32_t number = 0;
  for (std::size_t i = 4; i > 0; --i) {
    number = (number << 8) | static_cast<unsigned char>(bytes.at(position + i - 1));
  }
  return number;
}

/// cdb.txt, read word for word: "a record is located as follows".
std::optional<std::string> naive_find(std::string_view file, std::string_view key) {
  std::uint32_t hash = 5381;
  for (const char c : key) hash = (hash * 33) ^ static_cast<unsigned char>(c);
  const std::uint32_t table = number_at(file, (hash & 255) * 8);
  const std::uint32_t length = number_at(file, (hash & 255) * 8 + 4);
  for (std::uint32_t i = 0; i < length; ++i) {
    const std::size_t slot = table + 8 * ((hash / 256 + i) % length);
    const std::uint32_t position = number_at(file, slot + 4);
    if (position == 0) return std::nullopt;
    if (number_at(file, slot) != hash) continue;
    const std::uint32_t key_size = number_at(file, position);
    if (file.substr(position + 8, key_size) != key) continue;
    return std::string(file.substr(position + 8 + key_size, number_at(file, position + 4)));
  }
  return std::nullopt;
}

/// A cdb file made with none of our code: records as given, repeated keys and all.
std::string naive_file(const std::vector<std::pair<std::string, std::string>>& records) {
  const auto number = [](std::size_t value) {
    std::string bytes(4, '\0');
    for (char& c : bytes) {
      c = static_cast<char>(value);
      value >>= 8;
    }
    return bytes;
  };
  std::string body;
  std::vector<std::vector<std::pair<std::size_t, std::size_t>>> tables(256);
  for (const auto& [key, value] : records) {
    std::uint32_t hash = 5381;
    for (const char c : key) hash = (hash * 33) ^ static_cast<unsigned char>(c);
    tables[hash & 255].emplace_back(hash, 2048 + body.size());
    body += number(key.size()) + number(value.size()) + key + value;
  }
  std::string header;
  for (const auto& table : tables) {
    header += number(2048 + body.size()) + number(3 * table.size());
    std::vector<std::pair<std::size_t, std::size_t>> slots(3 * table.size());
    for (const auto& slot : table) {
      std::size_t place = (slot.first >> 8) % slots.size();
      while (slots[place].second != 0) place = (place + 1) % slots.size();
      slots[place] = slot;
    }
    for (const auto& [hash, position] : slots) body += number(hash) + number(position);
  }
  return header + body;
}

TEST(CdbWriter, WritesWhatANaiveReaderAndOursFind) {
  const TempDirectory directory;
  std::mt19937 random(20);
  for (const std::size_t size : kSampleSizes) {
    for (const bool null_terminated : {false, true}) {
      SCOPED_TRACE(testing::Message() << size << " entries, NUL " << null_terminated);
      const IndexOptions options{.null_terminated = null_terminated};
      const Sample sample = random_sample(random, size);
      const Result<void> written = write_sample(write_cdb_index, sample, options, directory.path("t.cdb"));
      ASSERT_TRUE(written) << written.error().message;

      const Sample stored = stored_form(sample, options);
      const std::string bytes = directory.read("t.cdb");
      for (const auto& [key, value] : stored) ASSERT_EQ(naive_find(bytes, key), value);
      const std::string written_bytes = directory.read("t.cdb");
      const Result<CdbIndex> file = CdbIndex::over(written_bytes);
      ASSERT_TRUE(file) << file.error().message;
      expect_holds(*file, stored);
    }
  }
}

TEST(CdbWriter, WritesTheBytesOfTheFormat) {
  const TempDirectory directory;
  const Sample sample = {{"a", "1"}, {"bb", "22"}, {"ccc", "333"}};
  ASSERT_TRUE(write_sample(write_cdb_index, sample, {.null_terminated = false}, directory.path("t.cdb")));
  const std::string bytes = directory.read("t.cdb");
  // As postmap(1) of Postfix 3.7 writes it.
  EXPECT_EQ(bytes.size(), 2132U);
  EXPECT_EQ(bytes.substr(0x620, 24),
            std::string("\x24\x08\0\0\2\0\0\0\x34\x08\0\0\2\0\0\0\x44\x08\0\0\0\0\0\0", 24));
  EXPECT_EQ(bytes.substr(0x800, 0x24),
            std::string("\1\0\0\0\1\0\0\0a1\2\0\0\0\2\0\0\0bb22\3\0\0\0\3\0\0\0ccc333", 0x24));
  EXPECT_EQ(bytes.substr(0x824),
            std::string("\0\0\0\0\0\0\0\0\xc4\xb5\2\0\0\x08\0\0\xc5\x6e\x59\0\x0a\x08\0\0"
                        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xe6\x4b\x87\x0b\x16\x08\0\0",
                        48));
}

TEST(CdbWriter, RefusesMoreThanFourGigabytes) {
  const std::string value(std::size_t{64} << 20, 'v');
  const std::vector<Entry> entries(64, Entry{.key = "k", .value = value});
  // Refused before it is written: nothing fits there.
  const libconf::FileDescriptor full(::open("/dev/full", O_WRONLY));
  const Result<void> written = write_cdb_index(entries, {}, full.get());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::kConfiguration);
}

TEST(CdbWriter, WritesValuesLargerThanItsBlocks) {
  const TempDirectory directory;
  std::mt19937 random(23);
  Sample sample;
  for (const std::size_t size :
       {std::size_t{1} << 20, std::size_t{3000001}, std::size_t{0}, std::size_t{5}}) {
    std::string value(size, 'v');
    for (std::size_t i = 0; i < size; i += 1000) value[i] = static_cast<char>(random());
    sample["k" + std::to_string(size)] = value;
  }
  ASSERT_TRUE(write_sample(write_cdb_index, sample, {}, directory.path("t")));
  const std::string written_bytes = directory.read("t");
  const Result<CdbIndex> file = CdbIndex::over(written_bytes);
  ASSERT_TRUE(file) << file.error().message;
  expect_holds(*file, stored_form(sample, {}));
}

TEST(CdbWriter, ReportsAFullDisk) {
  const libconf::FileDescriptor full(::open("/dev/full", O_WRONLY));
  const Result<void> written = write_cdb_index({}, {}, full.get());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::kInputOutput);
  EXPECT_EQ(written.error().message, "No space left on device");
}

TEST(CdbIndex, FindsTheFirstOfSeveralRecordsWithAKey) {
  const std::string bytes = naive_file({{"b", "1"}, {"a", "2"}, {"b", "3"}, {"", "4"}});
  const Result<CdbIndex> index = CdbIndex::over(bytes);
  ASSERT_TRUE(index);
  EXPECT_EQ(index->find("b").value(), "1");
  EXPECT_EQ(index->find("").value(), "4");
  EXPECT_EQ(index->find("c").value(), std::nullopt);
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"b", "1"}, {"a", "2"}, {"b", "3"}, {"", "4"}};
  EXPECT_EQ(listed(*index), expected);
}

TEST(CdbIndex, ReadsFilesOfOtherMakers) {
  std::mt19937 random(21);
  const Sample sample = random_sample(random, 3000);
  const std::string bytes = naive_file({sample.begin(), sample.end()});
  const Result<CdbIndex> index = CdbIndex::over(bytes);
  ASSERT_TRUE(index);
  expect_holds(*index, sample);
}

TEST(CdbIndex, StopsWhereTheVisitorFails) {
  const std::string bytes = naive_file({{"a", "1"}, {"b", "2"}});
  int visits = 0;
  const Result<void> visited =
      CdbIndex::over(bytes)->for_each([&](std::string_view, std::string_view) -> Result<void> {
        ++visits;
        return Error{.message = "enough"};
      });
  ASSERT_FALSE(visited);
  EXPECT_EQ(visited.error().message, "enough");
  EXPECT_EQ(visits, 1);
}

TEST(CdbIndex, TellsFilesOfOtherFormats) {
  const std::string good = naive_file({{"a", "1"}});
  const std::pair<std::string_view, std::string> cases[] = {
      {"empty", ""},
      {"text", std::string(5000, 'x')},
      {"zeros", std::string(5000, '\0')},
      {"shorter than its header", good.substr(0, 2047)},
      {"shorter than its tables", good.substr(0, good.size() - 1)},
  };
  for (const auto& [name, bytes] : cases) {
    const Result<CdbIndex> index = CdbIndex::over(bytes);
    ASSERT_FALSE(index) << name;
    EXPECT_EQ(index.error().kind, ErrorKind::kDataCorrupt) << name;
    EXPECT_EQ(index.error().message, "not a CDB file") << name;
  }
}

TEST(CdbIndex, TakesADamagedRecordForAnError) {
  std::string bytes = naive_file({{"a", "1"}});
  bytes[2048 + 4] = 2;  // The value's length.
  const Result<CdbIndex> index = CdbIndex::over(bytes);
  ASSERT_TRUE(index);
  const auto found = index->find("a");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kDataCorrupt);
}

TEST(CdbIndex, SurvivesDamage) {
  std::mt19937 random(22);
  const Sample sample = random_sample(random, 60);
  const std::string good = naive_file({sample.begin(), sample.end()});
  int errors = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::string bytes = damaged(good, random);
    const Result<CdbIndex> index = CdbIndex::over(bytes);
    if (!index) continue;
    const Result<void> visited = index->for_each([&](std::string_view key, std::string_view) -> Result<void> {
      const auto found = index->find(key);
      EXPECT_TRUE(found && *found);
      return {};
    });
    errors += visited ? 0 : 1;
    for (const auto& [key, value] : sample) static_cast<void>(index->find(key).has_value());
  }
  EXPECT_GT(errors, 100);
}

}  // namespace
}  // namespace libmaps
