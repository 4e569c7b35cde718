/// Entries for tests of index files, and the files made from them.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "libconf/handle.h"
#include "libmaps/index_format.h"
#include "libmaps/table.h"

namespace libmaps {

/// Sorted as index files want it: std::string compares bytes as memcmp() does, a prefix first.
using Sample = std::map<std::string, std::string>;

/// Fewer bytes than `limit`, any of the 256.
inline std::string sample_bytes(std::mt19937& random, std::size_t limit) {
  std::string bytes(random() % limit, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

/// Keys of 1 to 40 bytes; values that may be empty, a few of them larger than a page.
inline Sample random_sample(std::mt19937& random, std::size_t count) {
  Sample sample;
  while (sample.size() < count) {
    std::string key = sample_bytes(random, 40) + static_cast<char>(random());
    sample[std::move(key)] = sample_bytes(random, random() % 100 == 0 ? 20000 : 60);
  }
  return sample;
}

/// The entries of `sample`, which must outlive them.
inline std::vector<Entry> entries_of(const Sample& sample) {
  std::vector<Entry> entries;
  for (const auto& [key, value] : sample) entries.push_back({key, value});
  return entries;
}

/// Every key and value with a NUL at its end, or as they are: what IndexOptions does.
inline Sample stored_form(const Sample& sample, const IndexOptions& options) {
  if (!options.null_terminated) return sample;
  Sample stored;
  for (const auto& [key, value] : sample) stored[key + '\0'] = value + '\0';
  return stored;
}

/// Writes `sample` to a new file with `writer`, a function as libmaps/index_format.h describes it.
template <class Writer>
Result<void> write_sample(Writer writer, const Sample& sample, const IndexOptions& options,
                          const std::string& path) {
  const libconf::FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644));
  if (!fd) return Error{.message = "cannot create " + path};
  return writer(entries_of(sample), options, fd.get());
}

using SampleList = std::vector<std::pair<std::string, std::string>>;

inline SampleList in_order(const Sample& sample) { return {sample.begin(), sample.end()}; }

/// What a reader's for_each() lists, in its order.
template <class Reader>
SampleList listed(Reader& reader) {
  SampleList entries;
  const Result<void> visited =
      reader.for_each([&](std::string_view key, std::string_view value) -> Result<void> {
        entries.emplace_back(key, value);
        return {};
      });
  EXPECT_TRUE(visited) << visited.error().message;
  return entries;
}

/// A reader has what `sample` has, finds all of it, and nothing else.
template <class Reader>
void expect_holds(Reader& reader, const Sample& sample) {
  const SampleList expected = in_order(sample);
  SampleList entries = listed(reader);
  std::sort(entries.begin(), entries.end());
  EXPECT_TRUE(entries == expected) << entries.size() << " entries listed, " << expected.size() << " expected";
  for (const auto& [key, value] : sample) {
    const auto found = reader.find(key);
    ASSERT_TRUE(found) << found.error().message;
    ASSERT_TRUE(*found) << testing::PrintToString(key);
    ASSERT_EQ(**found, value);
    for (const std::string& near : {key + '\0', key + 'x', key.substr(1)}) {
      const auto other = reader.find(near);
      ASSERT_TRUE(other) << other.error().message;
      ASSERT_EQ(other->has_value(), sample.contains(near));
    }
  }
}

/// One to four random changes of bytes, and sometimes a shorter file.
inline std::string damaged(std::string bytes, std::mt19937& random) {
  for (std::size_t i = random() % 4 + 1; i > 0; --i)
    bytes[random() % bytes.size()] = static_cast<char>(random());
  if (random() % 4 == 0) bytes.resize(random() % bytes.size());
  return bytes;
}

/// The sizes at which formats have their corners.
inline constexpr std::size_t kSampleSizes[] = {0, 1, 2, 1000, 6000};

}  // namespace libmaps
