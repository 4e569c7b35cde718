#include "tools/mta/queue/queue_lifetimes.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

using namespace std::chrono_literals;

// QSHAPE_README: "The next retry time is set by doubling the message's age in the queue, and adjusting up or
// down to lie within the limits."
TEST(QueueLifetimes, DoubleTheAge) {
  const QueueLifetimes lifetimes;
  const QueueTime arrival(1'000'000s);
  const struct {
    std::chrono::seconds age;
    std::chrono::seconds delay;
  } cases[] = {{0s, 300s}, {299s, 300s}, {301s, 301s}, {3000s, 3000s}, {4000s, 4000s}, {100'000s, 4000s}};
  for (const auto& each : cases)
    EXPECT_EQ(lifetimes.next_attempt(arrival, arrival + each.age).time_since_epoch(),
              (arrival + each.age + each.delay).time_since_epoch())
        << each.age.count();
  // A clock that went back.
  EXPECT_EQ(lifetimes.next_attempt(arrival, arrival - 50s).time_since_epoch(), 1'000'250s);
}

TEST(QueueLifetimes, AreThoseOfMailOrOfBounces) {
  QueueLifetimes lifetimes;
  lifetimes.longest = 100s;
  lifetimes.longest_bounce = 10s;
  const QueueTime arrival(1'000'000s);
  EXPECT_FALSE(lifetimes.is_over(arrival, "ann@example.org", arrival + 99s));
  EXPECT_TRUE(lifetimes.is_over(arrival, "ann@example.org", arrival + 100s));
  EXPECT_FALSE(lifetimes.is_over(arrival, "", arrival + 9s));
  EXPECT_TRUE(lifetimes.is_over(arrival, "", arrival + 10s));
  // "Specify 0 when mail delivery should be tried only once" (postconf(5)).
  lifetimes.longest = 0s;
  EXPECT_TRUE(lifetimes.is_over(arrival, "ann@example.org", arrival));
}

}  // namespace
}  // namespace mta
