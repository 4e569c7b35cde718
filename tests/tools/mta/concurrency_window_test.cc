#include "tools/mta/queue/concurrency_window.h"

#include <gtest/gtest.h>

#include <string>

namespace mta {
namespace {

TEST(ConcurrencyFeedback, IsReadAsPostconfDescribesIt) {
  const struct {
    const char* text;
    std::optional<double> at_one;
    std::optional<double> at_ten;
  } cases[] = {
      {"1", 1, 1},
      {"0.25", 0.25, 0.25},
      {"1/4", 0.25, 0.25},
      {" 1 / concurrency ", 1, 0.1},
      {"0", 0, 0},
      {"0.5/concurrency", 0.5, 0.05},
      {"2", {}, {}},
      {"-1", {}, {}},
      {"", {}, {}},
      {"1/0", {}, {}},
      {"1/other", {}, {}},
      {"x", {}, {}},
      {"1/", {}, {}},
      {"1 2", {}, {}},
      {"2/concurrency", {}, {}},
  };
  for (const auto& each : cases) {
    const auto feedback = ConcurrencyFeedback::parse(each.text);
    ASSERT_EQ(feedback.has_value(), each.at_one.has_value()) << each.text;
    if (!feedback) continue;
    EXPECT_DOUBLE_EQ(feedback->at(1), *each.at_one) << each.text;
    EXPECT_DOUBLE_EQ(feedback->at(10), *each.at_ten) << each.text;
  }
}

/// Deliveries that all come back well, one after the other, while as many as may are under way.
std::size_t after_successes(ConcurrencyWindow& window, int count) {
  for (int i = 0; i < count; ++i) window.succeeded(window.size() - 1);
  return window.size();
}

// SCHEDULER_README: "with the default initial concurrency of 5, concurrency would proceed over time as
// (5-10-20)": by a pseudo-cohort each time.
TEST(ConcurrencyWindow, DoublesWithEachCohortAndStopsAtTheLimit) {
  const ConcurrencyRules rules;
  ConcurrencyWindow window(rules);
  EXPECT_EQ(window.size(), 5U);
  EXPECT_EQ(after_successes(window, 5), 10U);
  EXPECT_EQ(after_successes(window, 10), 20U);
  EXPECT_EQ(after_successes(window, 20), 20U);
}

// "With g(N)=1/N feedback per delivery, concurrency increases by 1 after an entire pseudo-cohort N".
TEST(ConcurrencyWindow, GrowsByOneWithEachCohortWhenTheFeedbackIsDivided) {
  ConcurrencyRules rules;
  rules.positive = *ConcurrencyFeedback::parse("1/concurrency");
  ConcurrencyWindow window(rules);
  EXPECT_EQ(after_successes(window, 4), 5U);
  EXPECT_EQ(after_successes(window, 2), 6U);
}

// "Don't apply positive feedback unless concurrency < busy_refcount + init_dest_concurrency".
TEST(ConcurrencyWindow, DoesNotGrowWithoutNeed) {
  const ConcurrencyRules rules;
  ConcurrencyWindow window(rules);
  for (int i = 0; i < 10; ++i) window.succeeded(0);
  EXPECT_EQ(window.size(), 5U);
}

// The pseudocode: 1/5 + 1/4 + 1/3 + 1/2 of a cohort is more than one.
TEST(ConcurrencyWindow, DiesAfterACohort) {
  const ConcurrencyRules rules;
  ConcurrencyWindow window(rules);
  for (const std::size_t size : {4U, 3U, 2U}) {
    window.failed();
    EXPECT_EQ(window.size(), size);
  }
  EXPECT_FALSE(window.is_dead());
  window.failed();
  EXPECT_TRUE(window.is_dead());
}

TEST(ConcurrencyWindow, ForgetsFailuresWhenADeliveryEndsWell) {
  const ConcurrencyRules rules;
  ConcurrencyWindow window(rules);
  for (int i = 0; i < 10; ++i) {
    window.failed();
    window.succeeded(window.size() - 1);
  }
  EXPECT_FALSE(window.is_dead());
}

// "To make the scheduler completely immune to connection or handshake failures, specify a zero feedback value
// and a zero failed pseudo-cohort limit" (postconf(5)).
TEST(ConcurrencyWindow, IsImmuneWhenToldSo) {
  ConcurrencyRules rules;
  rules.failed_cohorts = 0;
  rules.negative = *ConcurrencyFeedback::parse("0");
  ConcurrencyWindow window(rules);
  for (int i = 0; i < 100; ++i) window.failed();
  EXPECT_EQ(window.size(), 5U);
}

// "a 'reverse' hysteresis cycle for negative feedback": the first of a sequence counts.
TEST(ConcurrencyWindow, ShrinksAtTheStartOfASequence) {
  ConcurrencyRules rules;
  rules.failed_cohorts = 100;
  rules.negative = *ConcurrencyFeedback::parse("1/4");
  ConcurrencyWindow window(rules);
  window.failed();
  EXPECT_EQ(window.size(), 4U);
  for (int i = 0; i < 3; ++i) window.failed();
  EXPECT_EQ(window.size(), 4U);
  window.failed();
  EXPECT_EQ(window.size(), 3U);
}

TEST(ConcurrencyWindow, StartsNoHigherThanTheLimit) {
  ConcurrencyRules rules;
  rules.limit = 2;
  EXPECT_EQ(ConcurrencyWindow(rules).size(), 2U);
  rules.limit = 0;
  rules.initial = 50;
  EXPECT_EQ(ConcurrencyWindow(rules).size(), 50U);
}

}  // namespace
}  // namespace mta
