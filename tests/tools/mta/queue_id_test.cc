// Expected values are those of genuine Postfix: of files that it made, whose inode number and arrival time
// are known, and of the paths that `postcat -q` tries.
#include "tools/mta/queue/queue_id.h"

#include <gtest/gtest.h>

#include <random>

namespace mta {
namespace {

QueueTime time_of(std::int64_t seconds, std::int64_t microseconds) {
  return QueueTime(std::chrono::seconds(seconds) + std::chrono::microseconds(microseconds));
}

TEST(QueueId, IsMadeAsPostfixMakesIt) {
  struct Case {
    QueueIdForm form;
    std::int64_t seconds, microseconds;
    ino_t inode;
    const char* id;
  };
  const Case cases[] = {
      {QueueIdForm::kShort, 1795904235, 0xD73FF, 1114223, "D73FF11006F"},
      {QueueIdForm::kShort, 1795904330, 0x01188, 1114242, "01188110082"},
      {QueueIdForm::kLong, 1795904372, 217699, 1114269, "4jcPpX1XVWz8NNP"},
      {QueueIdForm::kLong, 1795904371, 207663, 1114264, "4jcPpW1SnWz8NNJ"},
      {QueueIdForm::kLong, 0, 0, 0, "0000000000z0"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(make_queue_id(c.form, time_of(c.seconds, c.microseconds), c.inode), c.id) << c.id;
}

TEST(QueueId, IsReadAgain) {
  std::mt19937_64 dice(1);
  for (int round = 0; round < 10000; ++round) {
    const auto seconds = static_cast<std::int64_t>(dice() >> (dice() % 40 + 24));
    const auto microseconds = static_cast<std::int64_t>(dice() % 1'000'000);
    const ino_t inode = dice() >> (dice() % 64);
    for (const QueueIdForm form : {QueueIdForm::kShort, QueueIdForm::kLong}) {
      const std::string id = make_queue_id(form, time_of(seconds, microseconds), inode);
      ASSERT_TRUE(is_queue_id(id)) << id;
      const std::optional<QueueIdParts> parts = parse_queue_id(id);
      ASSERT_TRUE(parts) << id;
      EXPECT_EQ(parts->form, form) << id;
      EXPECT_EQ(parts->microseconds, microseconds) << id;
      EXPECT_EQ(parts->inode, inode) << id;
      EXPECT_EQ(parts->seconds.has_value(), form == QueueIdForm::kLong) << id;
      EXPECT_EQ(parts->seconds.value_or(std::chrono::sys_seconds(std::chrono::seconds(seconds))),
                std::chrono::sys_seconds(std::chrono::seconds(seconds)))
          << id;
    }
  }
}

TEST(QueueId, DoesNotParseOtherText) {
  for (const char* text :
       {"", "D73FF", "D73FG11006F", "d73ff11006f", "F4240110082",  // Not so many microseconds in a second.
        "D73FFFFFFFFFFFFFFFFFFFF",                                 // No such inode number.
        "4jcPpX1AVWz8NNP",                                         // A vowel.
        "4jcPpX1XVWz8NAP", "4jcPpX1XVWz", "4jcPpXzzzzz8NNP", "zzzzzzzzzzzzzzz0000z1",
        "4jcPp0000z8NNP",  // Five digits of seconds.
        "ABCDE F", "ABCDE/1"})
    EXPECT_FALSE(parse_queue_id(text)) << text;
}

TEST(QueueId, TellsNamesOfMessagesFromOthers) {
  for (const std::string& name : {std::string("D73FF11006F"), std::string("4jcPpX1XVWz8NNP"),
                                  std::string("abc_"), std::string("12"), std::string(255, 'A')})
    EXPECT_TRUE(is_queue_id(name)) << name;
  for (const std::string& name : {std::string(), std::string("abc-"), std::string("a.b"), std::string("a:b"),
                                  std::string("a/b"), std::string("\xc3\xa4"), std::string(256, 'A')})
    EXPECT_FALSE(is_queue_id(name)) << name;
}

TEST(QueueId, ChoosesTheSubdirectory) {
  struct Case {
    const char* id;
    int depth;
    const char* subdirectory;
  };
  const Case cases[] = {
      {"D73FF11006F", 0, ""},
      {"D73FF11006F", 1, "D/"},
      {"956871100AE", 3, "9/5/6/"},
      {"12", 3, "1/2/_/"},
      {"abc_", 3, "a/b/c/"},
      {"4jcPpX1XVWz8NNP", 3, "3/5/2/"},
      {"4jcPpX1XVWz8NNP", 8, "3/5/2/6/3/_/_/_/"},
      {"4jcPpX0001z8NNP", 3, "0/0/0/"},
      {"4jcPpXHtcwz8NNP", 3, "2/2/1/"},
      {"4jcPpXzzzzz8NNP", 3, "6/F/9/"},
      {"4jcPpX1AVWz8NNP", 3, "0/0/0/"},
      {"4jcPpX1XVWz8zNP", 3, "3/8/F/"},
      {"4jcPpX1XVWz", 3, "3/5/2/"},
      {"4jcPp0000z8NNP", 3, "4/j/c/"},
      {"14jcPp0000z8NNP", 3, "0/0/0/"},
  };
  for (const Case& c : cases) EXPECT_EQ(queue_subdirectory(c.id, c.depth), c.subdirectory) << c.id;
}

}  // namespace
}  // namespace mta
