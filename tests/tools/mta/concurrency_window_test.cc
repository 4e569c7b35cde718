#include "tools/mta/queue/concurrency_window.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

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

double sum_of(const ConcurrencyWindow& window, std::string_view name) {
  const std::string state = window.state();
  return std::stod(state.substr(state.find(name) + name.size()));
}
double success_of(const ConcurrencyWindow& window) { return sum_of(window, "success "); }
double failure_of(const ConcurrencyWindow& window) { return sum_of(window, "failure "); }

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
  EXPECT_EQ(window.size(), 6U);
}

// 1/5 + 1/3 + 1/2 of a cohort is more than one; in between as the queue manager of Postfix logs it.
TEST(ConcurrencyWindow, DiesAfterACohort) {
  const ConcurrencyRules rules;
  ConcurrencyWindow window(rules);
  for (const char* const state : {"limit 20 window 3 success 0 failure 1 fail_cohorts 0.2",
                                  "limit 20 window 2 success 0 failure 1 fail_cohorts 0.533333",
                                  "limit 20 window 0 success 0 failure 1 fail_cohorts 1.03333"}) {
    EXPECT_FALSE(window.is_dead());
    window.failed();
    EXPECT_EQ(window.state(), state);
  }
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
  for (int i = 0; i < 2; ++i) window.failed();
  EXPECT_EQ(window.size(), 4U);
  window.failed();
  EXPECT_EQ(window.size(), 3U);
}

/// What the queue manager of Postfix logged, with destination_concurrency_feedback_debug: concurrency, and
/// the sum of the feedback.
struct Step {
  std::size_t size;
  double sum;
};

// Deliveries that end well, all but the last few of twenty.
TEST(ConcurrencyWindow, RoundsPositiveFeedback) {
  const struct {
    const char* feedback;
    std::vector<Step> steps;
  } cases[] = {
      {"0.28", {{3, .28}, {3, .56}, {3, .84}, {4, .12}, {4, .4}, {4, .68}, {5, -.04}, {5, .24}, {5, .52}}},
      {"0.22", {{3, .22}, {3, .44}, {3, .66}, {3, .88}, {4, .1}, {4, .32}, {4, .54}, {4, .76}, {5, -.02}}},
      {"0.4", {{3, .4}, {4, -.2}, {4, .2}, {4, .6}, {5, 0}, {5, .4}, {6, -.2}, {6, .2}}},
      {"1/concurrency", {{3, 1 / 3.}, {3, 2 / 3.}, {4, 0}, {4, .25}, {4, .5}, {4, .75}, {5, 0}}},
  };
  for (const auto& each : cases) {
    ConcurrencyRules rules;
    rules.initial = 3;
    rules.positive = *ConcurrencyFeedback::parse(each.feedback);
    ConcurrencyWindow window(rules);
    for (const Step& step : each.steps) {
      window.succeeded(window.size() - 1);
      EXPECT_EQ(window.size(), step.size) << each.feedback;
      EXPECT_NEAR(success_of(window), step.sum, 1e-5) << each.feedback << ": " << window.state();
    }
  }
}

TEST(ConcurrencyWindow, RoundsNegativeFeedback) {
  const struct {
    const char* feedback;
    std::vector<Step> steps;
  } cases[] = {
      {"0.28", {{4, .72}, {4, .44}, {4, .16}, {3, .88}, {3, .6}, {3, .32}, {2, 1.04}, {2, .76}}},
      {"0.23", {{4, .77}, {4, .54}, {4, .31}, {3, 1.08}, {3, .85}, {3, .62}, {3, .39}, {3, .16}, {2, .93}}},
      {"0.2", {{4, .8}, {4, .6}, {4, .4}, {4, .2}, {3, 1}, {3, .8}, {3, .6}, {3, .4}, {3, .2}, {2, 1}}},
      {"1/concurrency", {{4, .8}, {4, .55}, {4, .3}, {3, 1.05}, {3, .716667}, {3, .383333}, {2, 1.05}}},
  };
  for (const auto& each : cases) {
    ConcurrencyRules rules;
    rules.failed_cohorts = 100;
    rules.negative = *ConcurrencyFeedback::parse(each.feedback);
    ConcurrencyWindow window(rules);
    for (const Step& step : each.steps) {
      window.failed();
      EXPECT_EQ(window.size(), step.size) << each.feedback;
      EXPECT_NEAR(failure_of(window), step.sum, 1e-5) << each.feedback << ": " << window.state();
    }
  }
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
