#include "tools/mta/queue/clog_warnings.h"

#include <gtest/gtest.h>

#include <string>

#include "libconf/host.h"
#include "libconf/text.h"

namespace mta {
namespace {

using namespace std::chrono_literals;

class ClogWarningsTest : public testing::Test {
 protected:
  ClogWarningsTest() {
    settings_.override_value("qmgr_message_active_limit", "10");
    settings_.override_value("qmgr_clog_warn_time", "10s");
  }

  /// All lines of a warning of mail for a.test, which is due; a space between two.
  std::string check(const DestinationLoad& load, std::size_t active) {
    auto warnings = ClogWarnings::read(settings_);
    EXPECT_TRUE(warnings);
    std::string all;
    for (const std::string& line : warnings->check("smtp", "a.test", load, active, now_))
      all += libconf::concat(all.empty() ? "" : " ", line);
    return all;
  }

  ClogWarnings::Time now_{1000s};
  libconf::Settings settings_{nullptr, libconf::system_host()};
};

constexpr std::string_view kEnd =
    " please avoid flushing the whole queue when you have lots of deferred mail, that is bad for performance"
    " to turn off these warnings specify: qmgr_clog_warn_time = 0";
constexpr std::string_view kSlow =
    " you may need to reduce smtp connect and helo timeouts so that Postfix quickly skips unavailable hosts "
    "you"
    " may need to increase the main.cf minimal_backoff_time and maximal_backoff_time so that Postfix wastes "
    "less"
    " time on undeliverable mail you may need to increase the master.cf smtp process limit";
constexpr std::string_view kOthers = " this may slow down other mail deliveries";
constexpr std::string_view kActive =
    " you may need to increase the main.cf qmgr_message_active_limit from 10";
constexpr std::string_view kSeparate = " you may need a separate master.cf transport for a.test";

std::string limit_from(const std::string& number) {
  return " you may need to increase the main.cf smtp_destination_concurrency_limit from " + number;
}

// What the queue manager of Postfix said, where the limit is ten messages.
TEST_F(ClogWarningsTest, GiveTheAdviceOfPostfix) {
  const struct {
    const char* name;
    DestinationLoad load;
    std::size_t active;
    std::string lines;
  } cases[] = {
      {"all of a few", {3, 0, 5, 20, true}, 3, std::string(kSlow)},
      {"all", {10, 1, 5, 20, true}, 10, std::string(kSlow)},
      {"more than one delivery a message", {19, 1, 5, 20, true}, 10, std::string(kSlow)},
      {"with neighbours", {3, 1, 5, 20, false}, 4, libconf::concat(kOthers, kSeparate)},
      {"with neighbours, and small", {3, 1, 5, 20, false}, 9, libconf::concat(kOthers, kActive)},
      {"not small any more", {6, 1, 6, 20, false}, 10, libconf::concat(kOthers, kSeparate)},
      {"a window as large as the queue", {10, 1, 10, 40, true}, 10, std::string(kSlow)},
      {"a window larger than that", {10, 1, 11, 40, true}, 10, std::string(kActive)},
      {"at the limit", {10, 3, 3, 3, true}, 10, limit_from("3")},
      {"not at the limit", {10, 2, 3, 3, true}, 10, std::string(kSlow)},
      {"at the limit with neighbours", {5, 1, 1, 1, false}, 6, kOthers.data() + limit_from("1")},
      {"at the limit, and small", {4, 5, 5, 5, true}, 9, libconf::concat(kOthers, kActive)},
      {"no limit", {4, 3, 5, 0, true}, 4, std::string(kSlow)},
  };
  for (const auto& each : cases)
    EXPECT_EQ(check(each.load, each.active),
              libconf::concat("mail for a.test is using up ", std::to_string(each.load.deliveries), " of ",
                              std::to_string(each.active), " active queue entries", each.lines, kEnd))
        << each.name;
}

TEST_F(ClogWarningsTest, AreOfMoreThanAFifth) {
  EXPECT_EQ(check({.deliveries = 2}, 2), "");
  EXPECT_NE(check({.deliveries = 3}, 3), "");
  settings_.override_value("qmgr_message_active_limit", "14");
  EXPECT_EQ(check({.deliveries = 2}, 2), "");
  EXPECT_NE(check({.deliveries = 3}, 3), "");
  settings_.override_value("qmgr_message_active_limit", "4");
  EXPECT_NE(check({.deliveries = 1}, 1), "");
}

TEST_F(ClogWarningsTest, AreNotGivenWhereNobodyWantsThem) {
  settings_.override_value("helpful_warnings", "no");
  EXPECT_EQ(check({.deliveries = 10}, 10), "");
  settings_.override_value("helpful_warnings", "yes");
  settings_.override_value("qmgr_clog_warn_time", "0");
  EXPECT_EQ(check({.deliveries = 10}, 10), "");
}

TEST_F(ClogWarningsTest, AreGivenOnceInAWhileForEachDestination) {
  auto warnings = ClogWarnings::read(settings_);
  ASSERT_TRUE(warnings);
  const auto has = [&](const char* destination, std::chrono::seconds later) {
    return !warnings->check("smtp", destination, {.deliveries = 5}, 10, now_ + later).empty();
  };
  EXPECT_TRUE(has("a.test", 0s));
  EXPECT_FALSE(has("a.test", 9s));
  EXPECT_TRUE(has("b.test", 9s));
  EXPECT_TRUE(has("a.test", 10s));
  EXPECT_FALSE(has("b.test", 18s));
  EXPECT_TRUE(has("b.test", 19s));
}

}  // namespace
}  // namespace mta
