#include "tools/mta/smtp/client_rates.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

using std::chrono::seconds;

class ClientRatesTest : public testing::Test {
 protected:
  ClientRates make(seconds unit, std::size_t max_idle_clients = 100) {
    return ClientRates(
        unit, [this] { return now_; }, max_idle_clients);
  }
  /// One short connection; its rate.
  unsigned visit(ClientRates& rates, const std::string& client) {
    const unsigned rate = rates.connect(client).rate;
    rates.disconnect(client);
    return rate;
  }

  std::time_t now_ = 1'795'000'000;
};

// The times, and the rates that Postfix 3.7 counted with anvil_rate_time_unit = 4s.
TEST_F(ClientRatesTest, UnitsStartWithTheFirstEvent) {
  ClientRates rates = make(seconds(4));
  const std::time_t start = now_;
  const struct {
    int at;
    unsigned rate;
  } visits[] = {{0, 1}, {3, 2}, {5, 1}, {6, 2}, {7, 3}, {8, 4}, {9, 5}, {10, 1}, {14, 2}, {15, 1}};
  for (const auto& [at, rate] : visits) {
    now_ = start + at;
    EXPECT_EQ(visit(rates, "smtp:192.0.2.7"), rate) << "after " << at << " s";
  }
}

TEST_F(ClientRatesTest, CountsConnectionsAtATime) {
  ClientRates rates = make(seconds(60));
  EXPECT_EQ(rates.connect("a").at_a_time, 1U);
  EXPECT_EQ(rates.connect("a").at_a_time, 2U);
  EXPECT_EQ(rates.connect("b").at_a_time, 1U);
  rates.disconnect("a");
  EXPECT_EQ(rates.connect("a").at_a_time, 2U);
  now_ += 1000;
  EXPECT_EQ(rates.connect("a").at_a_time, 3U) << "connections do not expire";
  rates.disconnect("nobody");
  EXPECT_EQ(rates.size(), 2U);
}

TEST_F(ClientRatesTest, CountsEventsApart) {
  ClientRates rates = make(seconds(60));
  rates.connect("a");
  EXPECT_EQ(rates.count(ClientEvent::kMessage, "a"), 1U);
  EXPECT_EQ(rates.count(ClientEvent::kMessage, "a"), 2U);
  EXPECT_EQ(rates.count(ClientEvent::kAuth, "a"), 1U);
  EXPECT_EQ(rates.rate(ClientEvent::kMessage, "a"), 2U);
  EXPECT_EQ(rates.rate(ClientEvent::kTlsSession, "a"), 0U);
  now_ += 61;
  EXPECT_EQ(rates.rate(ClientEvent::kMessage, "a"), 0U) << "its unit is over";
  EXPECT_EQ(rates.count(ClientEvent::kMessage, "a"), 1U) << "another unit";
  EXPECT_EQ(rates.connect("a").rate, 2U) << "the connection of before counts in this unit, too";
  EXPECT_EQ(rates.count(ClientEvent::kMessage, "not connected"), 1U);
  EXPECT_EQ(rates.size(), 1U);
}

TEST_F(ClientRatesTest, ForgetsWhoHasGone) {
  ClientRates rates = make(seconds(60));
  visit(rates, "a");
  rates.connect("b");
  now_ += 60;
  visit(rates, "c");
  EXPECT_EQ(rates.size(), 3U) << "a could come again in its unit";
  now_ += 1;
  visit(rates, "c");
  EXPECT_EQ(rates.size(), 2U) << "b is connected, c was just now";
}

TEST_F(ClientRatesTest, IsBounded) {
  ClientRates rates = make(seconds(60), 3);
  for (int number = 0; number < 1000; ++number) visit(rates, std::to_string(number));
  EXPECT_EQ(rates.size(), 3U);
  EXPECT_EQ(visit(rates, "999"), 2U) << "the last are remembered";
  EXPECT_EQ(visit(rates, "0"), 1U);
  for (int number = 0; number < 10; ++number) rates.connect(std::to_string(number));
  EXPECT_GE(rates.size(), 10U) << "those that are connected are never forgotten";
  EXPECT_EQ(rates.connect("1").at_a_time, 2U);
}

// The lines are those of Postfix 3.7.
TEST_F(ClientRatesTest, TellsTheHighestValues) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  now_ = 1'795'915'873;  // 2026-11-29 01:31:13
  ClientRates rates = make(seconds(60));
  rates.connect("smtp:192.0.2.7");
  ++now_;
  rates.connect("smtp:192.0.2.7");
  rates.connect("smtp:192.0.2.8");
  rates.count(ClientEvent::kMessage, "smtp:192.0.2.8");
  rates.count(ClientEvent::kRecipient, "smtp:192.0.2.8");
  rates.count(ClientEvent::kTlsSession, "smtp:192.0.2.8");
  rates.count(ClientEvent::kAuth, "smtp:192.0.2.8");
  const std::vector<std::string> expected = {
      "statistics: max connection rate 2/60s for (smtp:192.0.2.7) at Nov 29 01:31:14",
      "statistics: max connection count 2 for (smtp:192.0.2.7) at Nov 29 01:31:14",
      "statistics: max message rate 1/60s for (smtp:192.0.2.8) at Nov 29 01:31:14",
      "statistics: max recipient rate 1/60s for (smtp:192.0.2.8) at Nov 29 01:31:14",
      "statistics: max newtls rate 1/60s for (smtp:192.0.2.8) at Nov 29 01:31:14",
      "statistics: max auth rate 1/60s for (smtp:192.0.2.8) at Nov 29 01:31:14",
      "statistics: max cache size 2 at Nov 29 01:31:14"};
  EXPECT_EQ(rates.take_statistics(), expected);
  EXPECT_TRUE(rates.take_statistics().empty());
}

}  // namespace
}  // namespace mta
