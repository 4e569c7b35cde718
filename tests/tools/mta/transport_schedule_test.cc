#include "tools/mta/queue/transport_schedule.h"

#include <gtest/gtest.h>

#include <chrono>
#include <list>
#include <map>
#include <random>
#include <string>

#include "tools/mta/queue/active_queue.h"

namespace mta {
namespace {

using namespace std::chrono_literals;
using Time = TransportSchedule::Time;

TransportRules rules_for_one() {
  TransportRules rules;
  rules.recipient_limit = 1;
  rules.process_limit = 1;
  rules.preemption = {.slot_cost = 0, .slot_loan = 0, .slot_discount = 0, .minimum_slots = 0};
  return rules;
}

/// A transport whose messages are called by letters and digits.
class Transport {
 public:
  explicit Transport(const TransportRules& rules) : schedule_(rules) {}

  /// `count` recipients of a message, each at a domain of its own, or all at `domain`.
  void add(char name, int count, const std::string& domain = "") {
    ActiveMessage& message = messages_[name];
    message.request.queue_id = name;
    for (int i = 0; i < count; ++i) {
      const std::string at = domain.empty() ? "d" + std::to_string(i) + ".test" : domain;
      schedule_.add(message, at, {.address = std::string(1, name) + std::to_string(i) + "@" + at}, now);
    }
  }

  /// The name of the message of the next delivery; '-': none may start.
  char start() {
    auto portion = schedule_.next(now);
    if (!portion) return '-';
    const char name = portion->message->request.queue_id.front();
    under_way.push_back(std::move(*portion));
    return name;
  }

  void end_first() {
    schedule_.succeeded(under_way.front(), now);
    under_way.pop_front();
  }

  /// The order of deliveries, one at a time.
  std::string order() {
    std::string names;
    for (char name; (name = start()) != '-'; end_first()) {
      names += name;
      now += 1s;
    }
    return names;
  }

  TransportSchedule& schedule() { return schedule_; }
  std::list<Portion> under_way;
  Time now{1000s};

 private:
  std::map<char, ActiveMessage> messages_;
  TransportSchedule schedule_;
};

TEST(TransportSchedule, TellsWhetherMoreWaitsForTheDestination) {
  TransportRules rules = rules_for_one();
  rules.recipient_limit = 2;
  Transport transport(rules);
  transport.add('a', 3, "one.test");
  transport.add('b', 1, "other.test");
  transport.add('c', 1, "one.test");
  std::string with_more;
  for (char name; (name = transport.start()) != '-'; transport.end_first())
    with_more += transport.under_way.front().has_more ? name : '.';
  EXPECT_EQ(with_more, "aa..");
}

TEST(TransportSchedule, ServesMessagesInTheirOrder) {
  Transport transport(rules_for_one());
  transport.add('1', 4);
  transport.add('2', 4);
  EXPECT_EQ(transport.order(), "11112222");
}

// SCHEDULER_README: "Say we have ten-recipient mail followed by two two-recipient mails. If the preemption
// happened when enough delivery slots accumulate (assuming slot cost 2), the delivery sequence becomes
// 11112211113311."
TEST(TransportSchedule, LetsSmallMessagesAheadWhenSlotsHaveAccumulated) {
  TransportRules rules = rules_for_one();
  rules.preemption.slot_cost = 2;
  Transport transport(rules);
  transport.add('1', 10);
  transport.add('2', 2);
  transport.add('3', 2);
  EXPECT_EQ(transport.order(), "11112211113311");
}

// "Now what would we get if we would wait only for 50% of the necessary slots ... the delivery sequence
// becomes 11221111331111."
TEST(TransportSchedule, LetsThemAheadEarlierWithADiscount) {
  TransportRules rules = rules_for_one();
  rules.preemption.slot_cost = 2;
  rules.preemption.slot_discount = 50;
  Transport transport(rules);
  transport.add('1', 10);
  transport.add('2', 2);
  transport.add('3', 2);
  EXPECT_EQ(transport.order(), "11221111331111");
}

TEST(TransportSchedule, LeavesMessagesAloneThatNeverAccumulateTheMinimum) {
  TransportRules rules = rules_for_one();
  rules.preemption.slot_cost = 2;
  rules.preemption.minimum_slots = 6;
  Transport transport(rules);
  transport.add('1', 10);
  transport.add('2', 1);
  EXPECT_EQ(transport.order(), "11111111112");
}

// The worst case for the large message, "not worse than k/(k-1)" by SCHEDULER_README, holds however many
// small ones there are.
TEST(TransportSchedule, DelaysALargeMessageByAShareOnly) {
  TransportRules rules = rules_for_one();
  rules.preemption = {};
  Transport transport(rules);
  transport.add('L', 1000);
  for (char name = 'a'; name <= 'z'; ++name) transport.add(name, 1 + (name - 'a') % 4);
  for (char name = '0'; name <= '9'; ++name) transport.add(name, 100);
  const std::string order = transport.order();
  const std::size_t last = order.rfind('L');
  EXPECT_LE(last, 1000U * 5 / 4 + 10);
  EXPECT_LT(order.find('z'), 400U) << "a small message waits for the large one";
}

TEST(TransportSchedule, ChoosesTheMessageWithTheMostTimeForEachDelivery) {
  TransportRules rules = rules_for_one();
  rules.preemption.slot_cost = 2;
  Transport transport(rules);
  transport.add('1', 20);
  transport.add('2', 3);
  transport.now += 100s;
  transport.add('3', 1);
  // The older one has waited longer for each of its recipients, and has to be waited for.
  EXPECT_EQ(transport.order().find('2'), 6U);
}

TEST(TransportSchedule, PutsRecipientsOfADestinationTogether) {
  TransportRules rules;
  rules.recipient_limit = 3;
  Transport transport(rules);
  transport.add('1', 7, "one.test");
  std::vector<std::size_t> sizes;
  while (transport.start() != '-') sizes.push_back(transport.under_way.back().recipients.size());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{3, 3, 1}));
}

TEST(TransportSchedule, KeepsToTheProcessLimit) {
  TransportRules rules;
  rules.process_limit = 3;
  Transport transport(rules);
  transport.add('1', 10);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(transport.start(), '1');
  EXPECT_EQ(transport.start(), '-');
  transport.end_first();
  EXPECT_EQ(transport.start(), '1');
  EXPECT_EQ(transport.start(), '-');
}

TEST(TransportSchedule, GoesAroundADestinationThatIsBusy) {
  TransportRules rules;
  rules.concurrency.limit = 2;
  Transport transport(rules);
  for (const char name : {'1', '2', '3'}) transport.add(name, 1, "slow.test");
  transport.add('4', 1, "other.test");
  EXPECT_EQ(transport.start(), '1');
  EXPECT_EQ(transport.start(), '2');
  EXPECT_EQ(transport.start(), '4');
  EXPECT_EQ(transport.start(), '-');
  transport.end_first();
  EXPECT_EQ(transport.start(), '3');
}

TEST(TransportSchedule, TakesDestinationsOfAMessageInTurn) {
  TransportRules rules;
  rules.recipient_limit = 2;
  Transport transport(rules);
  transport.add('1', 4, "a.test");
  transport.add('1', 4, "b.test");
  std::string domains;
  while (transport.start() != '-') domains += transport.under_way.back().nexthop.front();
  EXPECT_EQ(domains, "abab");
}

TEST(TransportSchedule, DoesNotTellDestinationsApartByCase) {
  TransportRules rules;
  rules.concurrency.limit = 1;
  Transport transport(rules);
  transport.add('1', 1, "A.test");
  transport.add('2', 1, "a.TEST");
  EXPECT_EQ(transport.start(), '1');
  EXPECT_EQ(transport.start(), '-');
}

TEST(TransportSchedule, WithdrawsWhatWaitsForADeadDestination) {
  TransportRules rules;
  rules.concurrency.limit = 1;
  Transport transport(rules);
  for (const char name : {'1', '2', '3'}) transport.add(name, 1, "dead.test");
  transport.add('2', 1, "alive.test");
  ASSERT_EQ(transport.start(), '1');
  ASSERT_EQ(transport.start(), '2');
  const auto withdrawn = transport.schedule().failed(transport.under_way.front(), transport.now);
  ASSERT_TRUE(withdrawn);
  ASSERT_EQ(withdrawn->size(), 2U);
  EXPECT_EQ(withdrawn->front().recipients.front().address, "20@dead.test");
  EXPECT_EQ(transport.start(), '-');
  transport.under_way.pop_front();
  transport.end_first();
  // What comes later is a new try.
  transport.add('4', 1, "dead.test");
  EXPECT_EQ(transport.start(), '4');
}

TEST(TransportSchedule, GoesOnWithFewerDeliveriesAfterAFailure) {
  TransportRules rules;
  rules.concurrency.initial = 3;
  Transport transport(rules);
  for (const char name : {'1', '2', '3', '4', '5'}) transport.add(name, 1, "weak.test");
  for (int i = 0; i < 3; ++i) ASSERT_NE(transport.start(), '-');
  EXPECT_FALSE(transport.schedule().failed(transport.under_way.front(), transport.now));
  transport.under_way.pop_front();
  EXPECT_EQ(transport.start(), '-');
  transport.end_first();
  EXPECT_EQ(transport.start(), '4');
}

TEST(TransportSchedule, SeparatesDeliveriesToADestinationByItsDelay) {
  TransportRules rules;
  rules.destination_delay = 10s;
  Transport transport(rules);
  transport.add('1', 1, "calm.test");
  transport.add('2', 1, "calm.test");
  transport.add('3', 1, "other.test");
  EXPECT_EQ(transport.start(), '1');
  EXPECT_EQ(transport.start(), '3');
  EXPECT_EQ(transport.start(), '-');
  transport.end_first();
  EXPECT_EQ(transport.start(), '-');
  ASSERT_TRUE(transport.schedule().wake_time());
  EXPECT_EQ(*transport.schedule().wake_time(), transport.now + 10s);
  transport.now += 9s;
  EXPECT_EQ(transport.start(), '-');
  transport.now += 1s;
  EXPECT_EQ(transport.start(), '2');
}

TEST(TransportSchedule, SeparatesAllDeliveriesByTheDelayOfTheTransport) {
  TransportRules rules;
  rules.transport_delay = 5s;
  Transport transport(rules);
  transport.add('1', 1, "a.test");
  transport.add('2', 1, "b.test");
  EXPECT_EQ(transport.start(), '1');
  EXPECT_EQ(transport.start(), '-');
  EXPECT_EQ(*transport.schedule().wake_time(), transport.now + 5s);
  transport.now += 5s;
  EXPECT_EQ(transport.start(), '2');
}

TEST(TransportSchedule, GivesEverythingBack) {
  Transport transport(TransportRules{});
  transport.add('1', 30);
  transport.add('2', 2, "one.test");
  ASSERT_NE(transport.start(), '-');
  std::size_t recipients = transport.under_way.front().recipients.size();
  for (const Portion& each : transport.schedule().withdraw_all()) recipients += each.recipients.size();
  EXPECT_EQ(recipients, 32U);
  EXPECT_EQ(transport.start(), '-');
  transport.end_first();
  EXPECT_EQ(transport.start(), '-');
}

// Whatever happens in whatever order: every recipient is delivered to or withdrawn once, and none is
// forgotten while deliveries may start.
TEST(TransportSchedule, ForgetsNobody) {
  std::mt19937 random(20);
  const auto below = [&](int bound) { return static_cast<int>(random() % static_cast<unsigned>(bound)); };
  for (int round = 0; round < 60; ++round) {
    TransportRules rules;
    rules.recipient_limit = static_cast<std::size_t>(below(4));
    rules.process_limit = static_cast<std::size_t>(below(6));
    rules.concurrency.limit = below(4);
    rules.destination_delay = std::chrono::seconds(below(3) == 0 ? 2 : 0);
    rules.preemption.slot_cost = below(4);
    rules.preemption.minimum_slots = below(2);
    Transport transport(rules);
    std::map<std::string, int> times;
    std::size_t added = 0;
    std::size_t over = 0;
    const auto count = [&](const Portion& portion) {
      over += portion.recipients.size();
      for (const QueueRecipient& each : portion.recipients)
        EXPECT_EQ(++times[each.address], 1) << each.address;
    };
    for (int step = 0; step < 400 || over < added; ++step) {
      ASSERT_LT(step, 100'000) << "round " << round << ": " << over << " of " << added;
      transport.now += 1s;
      if (step < 80 && below(3) == 0) {
        const int size = below(5) == 0 ? 40 : 1 + below(3);
        transport.add(static_cast<char>('.' + step), size,
                      below(2) == 0 ? "" : "d" + std::to_string(below(3)) + ".test");
        added += static_cast<std::size_t>(size);
      }
      while (below(4) != 0 && transport.start() != '-') count(transport.under_way.back());
      if (transport.under_way.empty() || below(2) == 0) continue;
      std::swap(transport.under_way.front(),
                *std::next(transport.under_way.begin(), below(static_cast<int>(transport.under_way.size()))));
      if (below(4) != 0) {
        transport.end_first();
        continue;
      }
      if (const auto withdrawn = transport.schedule().failed(transport.under_way.front(), transport.now))
        for (const Portion& each : *withdrawn) count(each);
      transport.under_way.pop_front();
    }
    EXPECT_EQ(over, added);
  }
}

// A backlog for one slow destination costs the others nothing.
TEST(TransportSchedule, TakesNoLongerWithALargeBacklog) {
  TransportRules rules;
  rules.recipient_limit = 50;
  rules.concurrency.limit = 2;
  TransportSchedule schedule(rules);
  constexpr std::size_t kMessages = 20'000;
  std::vector<ActiveMessage> messages(kMessages);
  const Time now(1s);
  for (ActiveMessage& each : messages) schedule.add(each, "slow.test", {.address = "a@slow.test"}, now);
  std::deque<Portion> under_way;
  std::size_t delivered = 0;
  const auto started = std::chrono::steady_clock::now();
  while (delivered < kMessages) {
    while (auto portion = schedule.next(now)) under_way.push_back(std::move(*portion));
    schedule.succeeded(under_way.front(), now);
    under_way.pop_front();
    ++delivered;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - started, 5s);
}

TEST(TransportSchedule, TellsHowMuchADestinationTakes) {
  TransportRules rules;
  rules.recipient_limit = 2;
  TransportSchedule schedule(rules);
  ActiveMessage message;
  ActiveMessage another;
  const Time now(1s);
  const auto add = [&](ActiveMessage& to, const char* nexthop) {
    schedule.add(to, nexthop, {.address = "a@x.test"}, now);
  };
  const auto load = [&](const char* destination) {
    const DestinationLoad is = schedule.load(destination);
    return std::vector<std::size_t>{is.deliveries, is.busy, is.window, is.limit, is.is_alone ? 1U : 0U};
  };
  for (int i = 0; i < 3; ++i) add(message, "A.test");
  add(another, "A.test");
  EXPECT_EQ(load("a.test"), (std::vector<std::size_t>{3, 0, 5, 20, 1}));
  const auto portion = schedule.next(now);
  EXPECT_EQ(load("a.test"), (std::vector<std::size_t>{3, 1, 5, 20, 1}));
  add(another, "b.test");
  EXPECT_EQ(load("a.test").back(), 0U);
  schedule.succeeded(*portion, now);
  EXPECT_EQ(load("a.test"), (std::vector<std::size_t>{2, 0, 6, 20, 0}));
  EXPECT_EQ(schedule.withdraw_all().size(), 3U);
  EXPECT_EQ(schedule.load("a.test").deliveries, 0U);
}

TEST(TransportSchedule, TellsAWitnessOfFeedback) {
  TransportRules rules;
  rules.recipient_limit = 1;
  rules.concurrency.failed_cohorts = 1;
  rules.concurrency.initial = 2;
  std::string told;
  TransportSchedule schedule(rules, [&](std::string_view text) { told.append(text) += '\n'; });
  ActiveMessage message;
  const Time now(1s);
  for (int i = 0; i < 3; ++i) schedule.add(message, "Next.test", {.address = "A@x.test"}, now);
  schedule.succeeded(*schedule.next(now), now);
  EXPECT_EQ(
      told,
      "qmgr_queue_unthrottle: feedback 1\n"
      "qmgr_queue_unthrottle: queue a@next.test: limit 20 window 3 success 0 failure 0 fail_cohorts 0\n");
  told.clear();
  schedule.failed(*schedule.next(now), now);
  EXPECT_EQ(told,
            "qmgr_queue_throttle: feedback 1\n"
            "qmgr_queue_throttle: queue a@next.test: limit 20 window 1 success 0 failure 1 fail_cohorts "
            "0.333333\n");
  told.clear();
  schedule.failed(*schedule.next(now), now);
  EXPECT_EQ(
      told,
      "qmgr_queue_throttle: queue a@next.test: limit 20 window 0 success 0 failure 1 fail_cohorts 1.33333\n");
}

}  // namespace
}  // namespace mta
