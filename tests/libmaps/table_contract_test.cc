/// What holds for every table type: the same checks over each row of the registry, against a model.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/settings.h"
#include "libmaps/index_build.h"
#include "libmaps/open.h"
#include "libmaps/source_entries.h"
#include "libmaps/table_types.h"
#include "tests/libconf/diagnostic_messages.h"
#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/proxy_listener.h"

namespace libmaps {
namespace {

using Entries = std::map<std::string, std::string>;
using Answer = std::optional<std::string>;

/// A table that was made for a test, and what it must say.
struct Sample {
  std::string name;  ///< What follows "type:".
  std::function<Answer(const std::string& key)> model;
  std::vector<std::string> keys;       ///< To ask for: some are there, some are not.
  Entries entries = {};                ///< What it lists, where the type can.
  std::shared_ptr<void> servers = {};  ///< What must run as long as the table is used.
};

/// Where a fixture makes its files.
struct Place {
  const postkit_test::TempDirectory& directory;
  std::mt19937& random;
  libconf::Settings& settings;
};

std::string random_word(std::mt19937& random) {
  std::string word(1 + random() % 12, '\0');
  for (char& c : word) c = "abcdefgh@.-+_7"[random() % 14];
  return word;
}

Sample sample_of(std::string name, Entries entries, std::mt19937& random) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : entries) keys.push_back(key);
  for (int i = 0; i < 50; ++i) keys.push_back(random_word(random));
  return {.name = std::move(name),
          .model = [entries](const std::string& key) -> Answer {
            const auto entry = entries.find(key);
            return entry == entries.end() ? Answer() : Answer(entry->second);
          },
          .keys = std::move(keys),
          .entries = entries};
}

Entries random_entries(std::mt19937& random) {
  Entries entries;
  const std::size_t count = random() % 200 + 1;
  while (entries.size() < count) entries.emplace(random_word(random), random_word(random));
  return entries;
}

void build(std::string_view type, const std::string& name, const Entries& entries) {
  std::vector<Entry> sorted;
  for (const auto& [key, value] : entries) sorted.push_back({key, value});
  const TableType& row = *find_table_type(type);
  Result<IndexBuild> index = IndexBuild::begin(row, name);
  ASSERT_TRUE(index) << index.error().message;
  const Result<void> done = index->finish(sorted, {.null_terminated = row.null_terminated}, {.if_new = 0644});
  ASSERT_TRUE(done) << done.error().message;
}

template <const char* kType>
Sample make_index(Place place) {
  const Entries entries = random_entries(place.random);
  const std::string name = place.directory.path(kType);
  build(kType, name, entries);
  return sample_of(name, entries, place.random);
}

std::string braced(const Entries& entries, std::string_view equals) {
  std::string text = "{";
  for (const auto& [key, value] : entries) text += " {" + key + std::string(equals) + value + "}";
  return text + " }";
}

Sample make_pattern_table(Place place) {
  std::string text = "{";
  Entries entries = random_entries(place.random);
  for (const auto& [key, value] : entries) {
    std::string pattern;
    for (char c : key) pattern += std::string(c == '.' || c == '+' ? "\\" : "") + c;
    text += " {/^" + pattern + "$/ " + value + "}";
  }
  return sample_of(text + " }", entries, place.random);
}

constexpr char kBtree[] = "btree";
constexpr char kCdb[] = "cdb";
constexpr char kHash[] = "hash";
constexpr char kLmdb[] = "lmdb";

/// How to make a table of each type. A type without a row here fails the test below. Null: the type asks a
/// server or a database, and the test of its own has one.
struct Fixture {
  std::string_view type;
  Sample (*make)(Place place);
};
const Fixture kFixtures[] = {
    {"btree", make_index<kBtree>},
    {"cdb", make_index<kCdb>},
    {"cidr",
     [](Place place) {
       Entries entries;
       for (int i = 0; i < 100; ++i) {
         const auto octet = [&] { return std::to_string(place.random() % 4); };
         entries.emplace("10." + octet() + "." + octet() + "." + octet(), random_word(place.random));
       }
       std::string text = "{";
       for (const auto& [key, value] : entries) text += " {" + key + " " + value + "}";
       return sample_of(text + " }", entries, place.random);
     }},
    {"debug",
     [](Place place) {
       const Entries entries = random_entries(place.random);
       return sample_of("inline:" + braced(entries, " = "), entries, place.random);
     }},
    {"environ",
     [](Place place) {
       ::setenv("MAIL_LOGTAG", "tag", 1);
       return sample_of("x", {{"MAIL_LOGTAG", "tag"}, {"LANG", "C"}}, place.random);
     }},
    {"fail", [](Place) { return Sample{.name = "x", .model = nullptr, .keys = {"a"}}; }},
    {"hash", make_index<kHash>},
    {"inline",
     [](Place place) {
       const Entries entries = random_entries(place.random);
       return sample_of(braced(entries, " = "), entries, place.random);
     }},
    {"internal", [](Place place) { return sample_of("x", {}, place.random); }},
    {"ldap", nullptr},
    {"lmdb", make_index<kLmdb>},
    {"memcache", nullptr},
    {"mongodb", nullptr},
    {"mysql", nullptr},
    {"nis", nullptr},
    {"pcre", make_pattern_table},
    {"pgsql", nullptr},
    {"pipemap",
     [](Place place) {
       const Entries first = random_entries(place.random);
       Entries both, second;
       for (const auto& [key, value] : first)
         if (place.random() % 2 == 0) second.emplace(value, random_word(place.random));
       for (const auto& [key, value] : first)
         if (second.contains(value)) both[key] = second[value];
       Sample sample = sample_of(
           "{inline:" + braced(first, " = ") + ", inline:" + braced(second, " = ") + "}", both, place.random);
       for (const auto& [key, value] : first) sample.keys.push_back(key);
       return sample;
     }},
    {"proxy",
     [](Place place) {
       Sample sample = make_index<kHash>(place);
       sample.name = "hash:" + sample.name;
       place.settings.override_value("queue_directory", place.directory.path());
       using Threads = std::array<postkit_test::ProxyThread, 2>;
       sample.servers.reset(new Threads{
           {{ProxyAccess::kRead, place.directory.path(), "proxy_read_maps = proxy:" + sample.name + "\n"},
            {ProxyAccess::kReadWrite, place.directory.path(),
             "proxy_write_maps = proxy:" + sample.name + "\n"}}});
       return sample;
     }},
    {"randmap",
     [](Place) {
       return Sample{
           .name = "{only}", .model = [](const std::string&) { return Answer("only"); }, .keys = {"a", "b"}};
     }},
    {"redis", nullptr},
    {"regexp", make_pattern_table},
    {"socketmap", nullptr},
    {"sqlite", nullptr},
    {"static",
     [](Place) {
       return Sample{.name = "{two words}",
                     .model = [](const std::string&) { return Answer("two words"); },
                     .keys = {"a", "", "b"}};
     }},
    {"tcp", nullptr},
    {"texthash",
     [](Place place) {
       const Entries entries = random_entries(place.random);
       std::string text;
       for (const auto& [key, value] : entries) text += key + "\t" + value + "\n";
       place.directory.write("texthash", text);
       return sample_of(place.directory.path("texthash"), entries, place.random);
     }},
    {"unionmap",
     [](Place place) {
       const Entries first = random_entries(place.random);
       const Entries second = {{"a", "1"}, {"b", "2"}, {first.begin()->first, "3"}};
       Entries both = first;
       for (const auto& [key, value] : second)
         both[key] = both.contains(key) ? both[key] + "," + value : value;
       return sample_of("{inline:" + braced(first, " = ") + ", inline:" + braced(second, " = ") + "}", both,
                        place.random);
     }},
    {"unix",
     [](Place) {
       return Sample{
           .name = "group.byname",
           .model = [](const std::string& key) { return key == "root" ? Answer("root:x:0:") : Answer(); },
           .keys = {"root", "no-such-group"}};
     }},
};

class TableContract : public testing::TestWithParam<Fixture> {
 protected:
  TableContext context() {
    return {.settings = settings_, .warnings = warnings_, .options = {.fold_keys = false}};
  }
  TableSpec spec(const Sample& sample) const { return {GetParam().type, sample.name}; }
  Sample make() { return GetParam().make({directory_, random_, settings_}); }
  void expect_answers(Table& table, const Sample& sample) {
    for (const std::string& key : sample.keys) {
      const Result<Answer> answer = table.lookup(key);
      if (sample.model == nullptr) {
        EXPECT_FALSE(answer) << "a table that always fails";
        continue;
      }
      ASSERT_TRUE(answer) << key << ": " << answer.error().message;
      EXPECT_EQ(*answer, sample.model(key)) << sample.name << " key " << key;
    }
  }

  postkit_test::TempDirectory directory_;
  std::mt19937 random_{20'26};
  libconf::Settings settings_{nullptr, libconf::system_host()};
  libconf::DiagnosticList warnings_;
};

TEST_P(TableContract, AnswersAsTheModel) {
  for (int round = 0; round < 5; ++round) {
    const Sample sample = make();
    auto table = open(spec(sample), context());
    ASSERT_TRUE(table) << table.error().message;
    expect_answers(**table, sample);
    // A hold changes nothing, nor does what follows it.
    ASSERT_TRUE((*table)->hold());
    expect_answers(**table, sample);
    (*table)->release();
    expect_answers(**table, sample);
  }
}

TEST_P(TableContract, ListsWhatTheRegistrySays) {
  const Sample sample = make();
  auto table = open_iterable(spec(sample), context());
  const bool is_iterable = find_table_type(GetParam().type)->is_iterable;
  ASSERT_EQ(static_cast<bool>(table), is_iterable);
  if (!is_iterable) {
    EXPECT_EQ(table.error().message, "table " + std::string(GetParam().type) + ":" + sample.name +
                                         ": sequence operation is not supported");
    return;
  }
  Entries listed;
  const Result<void> done =
      (*table)->for_each([&](std::string_view key, std::string_view value) -> Result<void> {
        EXPECT_TRUE(listed.emplace(key, value).second) << key;
        return {};
      });
  ASSERT_EQ(static_cast<bool>(done), sample.model != nullptr);
  if (done) {
    EXPECT_EQ(listed, sample.entries);
  }
}

TEST_P(TableContract, StopsListingAtAnErrorOfTheVisitor) {
  const Sample sample = make();
  if (!find_table_type(GetParam().type)->is_iterable || sample.entries.empty()) return;
  auto table = open_iterable(spec(sample), context());
  ASSERT_TRUE(table);
  int visits = 0;
  const Result<void> done = (*table)->for_each([&](std::string_view, std::string_view) -> Result<void> {
    ++visits;
    return Error{.kind = ErrorKind::kTemporary, .message = "enough"};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "enough");
  EXPECT_EQ(visits, 1);
}

TEST_P(TableContract, ChangesAsTheModel) {
  Sample sample = make();
  if (find_table_type(GetParam().type)->changes != Changes::kInPlace || sample.model == nullptr) {
    EXPECT_EQ(static_cast<bool>(open_writable(spec(sample), IfAbsent::kFail, context())),
              sample.model == nullptr);
    return;
  }
  Entries model = sample.entries;
  auto table = open_writable(spec(sample), IfAbsent::kFail, context());
  ASSERT_TRUE(table) << table.error().message;
  for (int i = 0; i < 500; ++i) {
    const std::string key = sample.keys[random_() % sample.keys.size()];
    if (random_() % 2 == 0) {
      const bool replace = random_() % 2 == 0;
      const std::string value = std::to_string(i);
      const Result<bool> stored = (*table)->store(key, value, replace);
      ASSERT_TRUE(stored) << stored.error().message;
      EXPECT_EQ(*stored, replace || !model.contains(key));
      if (*stored) model[key] = value;
    } else {
      const Result<bool> removed = (*table)->remove(key);
      ASSERT_TRUE(removed) << removed.error().message;
      EXPECT_EQ(*removed, model.erase(key) == 1);
    }
  }
  ASSERT_TRUE((*table)->finish());
  // What lives in memory alone ends with its table.
  if (!find_table_type(GetParam().type)->has_index()) return;
  auto again = open_iterable(spec(sample), context());
  ASSERT_TRUE(again) << again.error().message;
  Entries listed;
  ASSERT_TRUE((*again)->for_each([&](std::string_view key, std::string_view value) -> Result<void> {
    listed.emplace(key, value);
    return {};
  }));
  EXPECT_EQ(listed, model);
}

TEST_P(TableContract, SeesANewIndexInThePlaceOfTheOld) {
  const Sample sample = make();
  if (!find_table_type(GetParam().type)->has_index()) return;
  auto table = open(spec(sample), context());
  ASSERT_TRUE(table);
  expect_answers(**table, sample);
  build(GetParam().type, sample.name, {{"only", "new"}});
  EXPECT_EQ((*table)->lookup("only").value(), "new");
  EXPECT_EQ((*table)->lookup(sample.keys.front()).value(), Answer());
}

TEST_P(TableContract, MissingFilesAreErrors) {
  const bool reads_a_file = find_table_type(GetParam().type)->has_index() || GetParam().type == "texthash";
  if (!reads_a_file) return;
  const std::string name = directory_.path("absent");
  const auto table = open({GetParam().type, name}, context());
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().message, "open database " + name +
                                       std::string(find_table_type(GetParam().type)->suffix) +
                                       ": No such file or directory");
}

std::vector<Fixture> self_contained() {
  std::vector<Fixture> fixtures;
  for (const Fixture& fixture : kFixtures)
    if (fixture.make != nullptr) fixtures.push_back(fixture);
  return fixtures;
}

INSTANTIATE_TEST_SUITE_P(AllTypes, TableContract, testing::ValuesIn(self_contained()),
                         [](const auto& row) { return std::string(row.param.type); });

TEST(TableContractFixtures, CoverTheRegistry) {
  std::vector<std::string_view> fixtures, types;
  for (const Fixture& fixture : kFixtures) fixtures.push_back(fixture.type);
  for (const TableType& type : table_types()) types.push_back(type.name);
  EXPECT_EQ(fixtures, types);
}

}  // namespace
}  // namespace libmaps
