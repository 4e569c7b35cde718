#include "tools/mta/queue/dead_destinations.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

using namespace std::chrono_literals;
using Time = DeadDestinations::Time;

TEST(DeadDestinations, KnowsWhyUntilTheTimeIsOver) {
  DeadDestinations dead(10);
  const Time now(1000s);
  dead.add("a.test", {.code = "4.4.1", .text = "refused"}, now + 10s);
  ASSERT_NE(dead.find("a.test", now), nullptr);
  EXPECT_EQ(dead.find("a.test", now)->text, "refused");
  EXPECT_EQ(dead.find("b.test", now), nullptr);
  EXPECT_NE(dead.find("a.test", now + 9s), nullptr);
  EXPECT_EQ(dead.find("a.test", now + 10s), nullptr);
}

TEST(DeadDestinations, CountsFromTheLastTime) {
  DeadDestinations dead(10);
  const Time now(1000s);
  dead.add("a.test", {.code = "4.4.1", .text = "first"}, now + 10s);
  dead.add("a.test", {.code = "4.4.1", .text = "second"}, now + 20s);
  ASSERT_NE(dead.find("a.test", now + 15s), nullptr);
  EXPECT_EQ(dead.find("a.test", now + 15s)->text, "second");
}

TEST(DeadDestinations, RemembersTheLastOnesOnly) {
  DeadDestinations dead(2);
  const Time now(1000s);
  for (const char* const name : {"a.test", "b.test", "c.test"}) dead.add(name, {}, now + 10s);
  EXPECT_EQ(dead.find("a.test", now), nullptr);
  EXPECT_NE(dead.find("b.test", now), nullptr);
  EXPECT_NE(dead.find("c.test", now), nullptr);
}

TEST(DeadDestinations, ForgetsWhatIsOfUseAgain) {
  DeadDestinations dead(10);
  const Time now(1000s);
  dead.add("a.test", {}, now + 10s);
  dead.add("b.test", {}, now + 10s);
  dead.forget("a.test");
  EXPECT_EQ(dead.find("a.test", now), nullptr);
  dead.clear();
  EXPECT_EQ(dead.find("b.test", now), nullptr);
}

}  // namespace
}  // namespace mta
