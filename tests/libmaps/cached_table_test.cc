#include "libmaps/cached_table.h"

#include <gtest/gtest.h>

#include <list>
#include <map>
#include <random>

#include "tests/libmaps/table_fixture.h"

namespace libmaps {
namespace {

using namespace std::chrono_literals;
using postkit_test::outcome;
using Strings = std::vector<std::string>;

/// What the table behind the cache says, and what it was asked.
struct Behind {
  std::map<std::string, std::string, std::less<>> entries;
  bool fails = false;
  Strings asked;
  Strings expected;
  int holds = 0;
  int releases = 0;
};

class BehindTable final : public Table {
 public:
  explicit BehindTable(Behind& behind) : Table("behind:"), behind_(behind) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    behind_.asked.emplace_back(key);
    if (behind_.fails) return Error{.kind = ErrorKind::kTemporary, .message = "away"};
    const auto found = behind_.entries.find(key);
    if (found == behind_.entries.end()) return std::nullopt;
    return found->second;
  }
  Result<void> hold() override {
    ++behind_.holds;
    return {};
  }
  void release() override { ++behind_.releases; }
  void expect(std::string_view key) override { behind_.expected.emplace_back(key); }
  std::size_t lookahead() const override { return 17; }

 private:
  Behind& behind_;
};

/// A cache with a clock that the test sets.
class CachedTableTest : public testing::Test {
 protected:
  void use(std::size_t size, std::chrono::seconds ttl) {
    table_ = cache_lookups(std::make_unique<BehindTable>(behind_), {.size = size, .ttl = ttl},
                           [this] { return now_; });
  }
  std::string lookup(std::string_view key) { return outcome(table_->lookup(key)); }
  Strings asked() { return std::exchange(behind_.asked, {}); }

  Behind behind_{.entries = {{"a", "1"}, {"b", "2"}, {"c", "3"}, {"empty", ""}}};
  CacheClock::time_point now_{1h};
  std::unique_ptr<Table> table_;
};

TEST_F(CachedTableTest, AsksOnceForWhatIsFoundAndForWhatIsNot) {
  use(10, 60s);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(lookup("a"), "1");
    EXPECT_EQ(lookup("none"), "(none)");
    EXPECT_EQ(lookup("empty"), "");
  }
  EXPECT_EQ(asked(), (Strings{"a", "none", "empty"}));
}

TEST_F(CachedTableTest, NeverRemembersAnError) {
  use(10, 60s);
  behind_.fails = true;
  EXPECT_EQ(lookup("a"), "error: away");
  EXPECT_EQ(lookup("a"), "error: away");
  behind_.fails = false;
  EXPECT_EQ(lookup("a"), "1");
  EXPECT_EQ(asked(), (Strings{"a", "a", "a"}));
}

TEST_F(CachedTableTest, AnswersWhileTheTableIsAway) {
  use(10, 60s);
  EXPECT_EQ(lookup("a"), "1");
  behind_.fails = true;
  EXPECT_EQ(lookup("a"), "1");
  now_ += 60s;
  EXPECT_EQ(lookup("a"), "error: away");
}

TEST_F(CachedTableTest, ForgetsWhenTheTimeIsOver) {
  use(10, 60s);
  EXPECT_EQ(lookup("a"), "1");
  EXPECT_EQ(lookup("new"), "(none)");
  behind_.entries = {{"new", "4"}};
  now_ += 59s;
  EXPECT_EQ(lookup("a"), "1");
  EXPECT_EQ(lookup("new"), "(none)");
  now_ += 1s;  // Uses do not make it longer.
  EXPECT_EQ(lookup("a"), "(none)");
  EXPECT_EQ(lookup("new"), "4");
  EXPECT_EQ(asked(), (Strings{"a", "new", "a", "new"}));
}

TEST_F(CachedTableTest, MakesRoomOfWhatWasUsedLastLongestAgo) {
  use(2, 60s);
  lookup("a");
  lookup("b");
  lookup("a");
  lookup("c");  // Instead of b.
  EXPECT_EQ(asked(), (Strings{"a", "b", "c"}));
  EXPECT_EQ(lookup("a"), "1");
  EXPECT_EQ(lookup("c"), "3");
  EXPECT_EQ(asked(), Strings{});
  EXPECT_EQ(lookup("b"), "2");  // Instead of a.
  EXPECT_EQ(lookup("c"), "3");
  EXPECT_EQ(lookup("a"), "1");
  EXPECT_EQ(asked(), (Strings{"b", "a"}));
}

TEST_F(CachedTableTest, HoldsOneWhereOneIsTheLimit) {
  use(1, 60s);
  for (const char* key : {"a", "a", "b", "b", "a"}) lookup(key);
  EXPECT_EQ(asked(), (Strings{"a", "b", "a"}));
}

TEST_F(CachedTableTest, AnnouncesOnlyWhatItHasToAskFor) {
  use(10, 60s);
  lookup("a");
  for (const char* key : {"a", "b"}) table_->expect(key);
  EXPECT_EQ(behind_.expected, Strings{"b"});
  now_ += 60s;
  table_->expect("a");
  EXPECT_EQ(behind_.expected, (Strings{"b", "a"}));
}

TEST_F(CachedTableTest, PassesTheRestOn) {
  use(10, 60s);
  EXPECT_EQ(table_->name(), "behind:");
  EXPECT_EQ(table_->lookahead(), 17u);
  EXPECT_TRUE(table_->hold());
  table_->release();
  EXPECT_EQ(behind_.holds, 1);
  EXPECT_EQ(behind_.releases, 1);
}

// Against a model that is a list of (key, time), newest use first.
TEST_F(CachedTableTest, ForgetsAsTheModel) {
  std::mt19937 random(8);
  constexpr std::size_t kSize = 5;
  use(kSize, 10s);
  std::list<std::pair<std::string, CacheClock::time_point>> model;
  for (int i = 0; i < 20'000; ++i) {
    now_ += std::chrono::seconds(random() % 3);
    const std::string key(1, static_cast<char>('a' + random() % 9));
    const auto entry =
        std::find_if(model.begin(), model.end(), [&](const auto& e) { return e.first == key; });
    const bool is_known = entry != model.end() && now_ < entry->second + 10s;
    const auto since = is_known ? entry->second : now_;
    if (entry != model.end()) model.erase(entry);
    if (!is_known && model.size() == kSize) model.pop_back();
    model.emplace_front(key, since);
    lookup(key);
    ASSERT_EQ(asked().empty(), is_known) << i;
  }
}

}  // namespace
}  // namespace libmaps
