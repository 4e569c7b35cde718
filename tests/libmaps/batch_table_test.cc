#include "libmaps/batch_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/libmaps/table_fixture.h"

namespace libmaps {
namespace {

using postkit_test::outcome;
using Strings = std::vector<std::string>;

/// Knows what each key's value is: itself; nothing for "-..."; an error for "!...". Does not accept "~...",
/// and cannot tell whether it accepts "?...". Notes what it is asked.
class EchoTable final : public BatchTable {
 public:
  explicit EchoTable(std::size_t most = kMaxBatch) : BatchTable("echo:"), most_(most) {}

  const std::vector<Strings>& fetched() const { return fetched_; }
  const Strings& concluded() const { return concluded_; }
  const Strings& judged() const { return judged_; }
  static constexpr std::size_t kMost = kMaxBatch;

 private:
  Result<bool> accepts(std::string_view key) override {
    judged_.emplace_back(key);
    if (key.starts_with('?')) return Error{.message = "unsure"};
    return !key.starts_with('~');
  }

  std::vector<Answer> fetch(std::span<const std::string> keys) override {
    fetched_.emplace_back(keys.begin(), keys.end());
    std::vector<Answer> answers;
    for (const std::string& key : keys.first(std::min(most_, keys.size()))) {
      if (key.starts_with('!')) {
        if (answers.empty()) answers.emplace_back(Error{.message = "failed " + key});
        break;
      }
      answers.push_back(key.starts_with('-') ? Answer(std::nullopt) : Answer(key));
    }
    return answers;
  }

  Answer conclude(std::string_view key, Answer answer) override {
    concluded_.emplace_back(key);
    return answer;
  }

  std::size_t most_;
  std::vector<Strings> fetched_;
  Strings concluded_;
  Strings judged_;
};

TEST(BatchTable, FetchesAnnouncedKeysTogether) {
  EchoTable table;
  for (const char* key : {"a", "-b", "c"}) table.expect(key);
  EXPECT_EQ(outcome(table.lookup("a")), "a");
  EXPECT_EQ(outcome(table.lookup("-b")), "(none)");
  EXPECT_EQ(outcome(table.lookup("c")), "c");
  EXPECT_EQ(outcome(table.lookup("d")), "d");
  EXPECT_EQ(table.fetched(), (std::vector<Strings>{{"a", "-b", "c"}, {"d"}}));
}

TEST(BatchTable, FetchesAKeyThatNobodyAnnouncedAlone) {
  EchoTable table;
  table.expect("a");
  table.expect("b");
  EXPECT_EQ(outcome(table.lookup("x")), "x");
  EXPECT_EQ(outcome(table.lookup("a")), "a");
  EXPECT_EQ(table.fetched(), (std::vector<Strings>{{"x"}, {"a", "b"}}));
}

TEST(BatchTable, GoesOnWhereTheFetchedPrefixEnds) {
  EchoTable table(2);
  for (const char* key : {"a", "b", "c", "d", "e"}) table.expect(key);
  for (const char* key : {"a", "b", "c", "d", "e"}) EXPECT_EQ(outcome(table.lookup(key)), key);
  EXPECT_EQ(table.fetched(), (std::vector<Strings>{{"a", "b", "c", "d", "e"}, {"c", "d", "e"}, {"e"}}));
}

TEST(BatchTable, ReportsAnErrorWhenItsKeyIsAskedFor) {
  EchoTable table;
  for (const char* key : {"a", "!b", "c"}) table.expect(key);
  EXPECT_EQ(outcome(table.lookup("a")), "a");
  EXPECT_EQ(outcome(table.lookup("!b")), "error: failed !b");
  EXPECT_EQ(outcome(table.lookup("c")), "c");
  EXPECT_EQ(table.fetched(), (std::vector<Strings>{{"a", "!b", "c"}, {"!b", "c"}, {"c"}}));
}

TEST(BatchTable, AnErrorIsNotAnAnswerToTheSameKeyLater) {
  EchoTable table;
  EXPECT_EQ(outcome(table.lookup("!a")), "error: failed !a");
  EXPECT_EQ(outcome(table.lookup("!a")), "error: failed !a");
  EXPECT_EQ(table.fetched().size(), 2u);
}

TEST(BatchTable, PassesOverKeysThatAreNotAskedFor) {
  EchoTable table;
  for (const char* key : {"a", "b", "c", "d"}) table.expect(key);
  EXPECT_EQ(outcome(table.lookup("b")), "b");  // "a" was found elsewhere.
  EXPECT_EQ(outcome(table.lookup("d")), "d");
  EXPECT_EQ(table.fetched(), (std::vector<Strings>{{"b", "c", "d"}}));
  EXPECT_EQ(outcome(table.lookup("c")), "c");  // Passed over: what came for it is gone.
  EXPECT_EQ(table.fetched().size(), 2u);
}

TEST(BatchTable, ConcludesAnAnswerInItsTurnOnly) {
  EchoTable table;
  for (const char* key : {"a", "b", "-c"}) table.expect(key);
  EXPECT_EQ(outcome(table.lookup("a")), "a");
  EXPECT_EQ(table.concluded(), Strings{"a"});
  EXPECT_EQ(outcome(table.lookup("-c")), "(none)");
  EXPECT_EQ(table.concluded(), (Strings{"a", "-c"}));
}

TEST(BatchTable, DoesNotAskForKeysThatAreNotAccepted) {
  EchoTable table;
  for (const char* key : {"~", "a", "~b", "c", "~d"}) table.expect(key);
  EXPECT_EQ(outcome(table.lookup("~")), "(none)");
  EXPECT_TRUE(table.fetched().empty());
  for (const char* key : {"a", "~b", "c", "~d"})
    EXPECT_EQ(outcome(table.lookup(key)), key[0] == '~' ? "(none)" : key);
  EXPECT_EQ(table.fetched(), (std::vector<Strings>{{"a", "c"}}));
  EXPECT_EQ(table.concluded(), (Strings{"a", "c"}));
}

TEST(BatchTable, EndsABatchWhereItCannotTellWhetherAKeyIsAccepted) {
  EchoTable table;
  for (const char* key : {"a", "?b", "c"}) table.expect(key);
  EXPECT_EQ(outcome(table.lookup("a")), "a");
  EXPECT_EQ(outcome(table.lookup("?b")), "error: unsure");
  EXPECT_EQ(outcome(table.lookup("c")), "c");
  EXPECT_EQ(table.fetched(), (std::vector<Strings>{{"a"}, {"c"}}));
}

TEST(BatchTable, JudgesAnEmptyKeyInItsTurnOnly) {
  EchoTable table;
  for (const char* key : {"a", "", "c"}) table.expect(key);
  EXPECT_EQ(outcome(table.lookup("a")), "a");
  EXPECT_EQ(table.judged(), Strings{"a"});
  EXPECT_EQ(outcome(table.lookup("")), "");
  EXPECT_EQ(table.fetched(), (std::vector<Strings>{{"a"}, {"", "c"}}));
}

TEST(BatchTable, AnswersRepeatedKeysInOrder) {
  EchoTable table;
  for (const char* key : {"a", "a", "b", "a"}) table.expect(key);
  for (const char* key : {"a", "a", "b", "a"}) EXPECT_EQ(outcome(table.lookup(key)), key);
  EXPECT_EQ(table.fetched().size(), 1u);
}

TEST(BatchTable, ReleaseForgetsWhatCameAndWhatWasAnnounced) {
  EchoTable table;
  for (const char* key : {"a", "b", "c"}) table.expect(key);
  EXPECT_EQ(outcome(table.lookup("a")), "a");
  table.release();
  EXPECT_EQ(outcome(table.lookup("b")), "b");
  EXPECT_EQ(table.fetched(), (std::vector<Strings>{{"a", "b", "c"}, {"b"}}));
}

TEST(BatchTable, NeverFetchesMoreThanALimitedNumber) {
  EchoTable table;
  for (std::size_t i = 0; i < 3 * EchoTable::kMost; ++i) table.expect(std::to_string(i));
  for (std::size_t i = 0; i < 3 * EchoTable::kMost; ++i)
    EXPECT_EQ(outcome(table.lookup(std::to_string(i))), std::to_string(i));
  ASSERT_EQ(table.fetched().size(), 3u);
  for (const Strings& keys : table.fetched()) EXPECT_EQ(keys.size(), EchoTable::kMost);
}

// Whatever is announced, fetched and asked for: an answer is the one to its key.
TEST(BatchTable, AnswersAsWithoutBatches) {
  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) {
    EchoTable table(1 + random() % 6);
    for (int i = 0; i < 40; ++i) {
      const auto word = [&] { return std::string(1, "!-ab~?"[random() % 6]) + std::to_string(random() % 4); };
      if (random() % 10 == 0) table.release();
      Strings keys;
      for (std::size_t n = random() % 8; n > 0; --n) {
        keys.push_back(word());
        table.expect(keys.back());
      }
      keys.push_back(word());
      for (const std::string& key : keys) {
        if (random() % 4 == 0) continue;
        const std::map<char, std::string> special = {
            {'!', "error: failed " + key}, {'-', "(none)"}, {'~', "(none)"}, {'?', "error: unsure"}};
        ASSERT_EQ(outcome(table.lookup(key)), special.contains(key[0]) ? special.at(key[0]) : key);
      }
    }
  }
}

}  // namespace
}  // namespace libmaps
