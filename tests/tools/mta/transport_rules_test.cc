#include "tools/mta/queue/transport_rules.h"

#include <gtest/gtest.h>

#include "libconf/host.h"

namespace mta {
namespace {

using namespace std::chrono_literals;

class TransportRulesTest : public testing::Test {
 protected:
  TransportRules read(std::string_view transport) {
    const auto rules = TransportRules::read(settings_, transport, 7);
    EXPECT_TRUE(rules) << rules.error().message;
    return rules ? *rules : TransportRules();
  }
  libconf::Settings settings_{nullptr, libconf::system_host()};
};

// postconf(5).
TEST_F(TransportRulesTest, AreThoseOfAllTransportsUnlessToldOtherwise) {
  const TransportRules rules = read("smtp");
  EXPECT_EQ(rules.process_limit, 7U);
  EXPECT_EQ(rules.recipient_limit, 50U);
  EXPECT_EQ(rules.concurrency.limit, 20);
  EXPECT_EQ(rules.concurrency.initial, 5);
  EXPECT_EQ(rules.concurrency.failed_cohorts, 1);
  EXPECT_EQ(rules.preemption.slot_cost, 5);
  EXPECT_EQ(rules.preemption.slot_loan, 3);
  EXPECT_EQ(rules.preemption.slot_discount, 50);
  EXPECT_EQ(rules.preemption.minimum_slots, 3);
  EXPECT_EQ(rules.destination_delay, 0s);
  EXPECT_EQ(rules.transport_delay, 0s);
}

TEST_F(TransportRulesTest, KnowWhatLocalHasOfItsOwn) {
  const TransportRules rules = read("local");
  EXPECT_EQ(rules.recipient_limit, 1U);
  EXPECT_EQ(rules.concurrency.limit, 2);
}

TEST_F(TransportRulesTest, TakeWhatHasTheNameOfTheTransport) {
  settings_.override_value("default_destination_concurrency_limit", "9");
  settings_.override_value("slow_destination_concurrency_limit", "1");
  settings_.override_value("slow_destination_rate_delay", "2m");
  settings_.override_value("slow_destination_concurrency_positive_feedback", "1/concurrency");
  EXPECT_EQ(read("slow").concurrency.limit, 1);
  EXPECT_EQ(read("slow").destination_delay, 120s);
  EXPECT_TRUE(read("slow").concurrency.positive.is_divided);
  EXPECT_EQ(read("smtp").concurrency.limit, 9);
}

TEST_F(TransportRulesTest, RefuseFeedbackThatIsNone) {
  settings_.override_value("default_destination_concurrency_negative_feedback", "two");
  const auto rules = TransportRules::read(settings_, "smtp", 1);
  ASSERT_FALSE(rules);
  EXPECT_EQ(rules.error().message,
            "bad configuration: default_destination_concurrency_negative_feedback = two");
}

}  // namespace
}  // namespace mta
