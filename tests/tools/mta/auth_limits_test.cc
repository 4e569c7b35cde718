#include "tools/mta/sasl/auth_limits.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

using namespace std::chrono_literals;

TEST(AuthLimits, DelayGrowsWithFailures) {
  AuthLimits limits({.step = 2s, .steps = 3, .memory = 60s});
  const AuthLimits::Time start{};
  const std::chrono::seconds expected[] = {0s, 2s, 4s, 6s, 6s, 6s};
  for (const std::chrono::seconds delay : expected) EXPECT_EQ(limits.failed("192.0.2.1", start), delay);
  EXPECT_EQ(limits.failed("192.0.2.2", start), 0s) << "another client";
}

TEST(AuthLimits, ForgetWhoSucceeds) {
  AuthLimits limits({.step = 1s});
  const AuthLimits::Time start{};
  EXPECT_EQ(limits.failed("192.0.2.1", start), 0s);
  EXPECT_EQ(limits.failed("192.0.2.1", start), 1s);
  limits.succeeded("192.0.2.1");
  limits.succeeded("192.0.2.9");
  EXPECT_EQ(limits.failed("192.0.2.1", start), 0s);
}

TEST(AuthLimits, ForgetWithTime) {
  AuthLimits limits({.step = 1s, .memory = 60s});
  const AuthLimits::Time start{};
  EXPECT_EQ(limits.failed("a", start), 0s);
  EXPECT_EQ(limits.failed("b", start + 30s), 0s);
  EXPECT_EQ(limits.failed("a", start + 59s), 1s);
  EXPECT_EQ(limits.failed("b", start + 90s), 0s);
  EXPECT_EQ(limits.failed("a", start + 118s), 2s);
  EXPECT_EQ(limits.size(), 2u);
}

TEST(AuthLimits, RememberABoundedNumberOfClients) {
  AuthLimits limits({.step = 1s, .clients = 2});
  const AuthLimits::Time start{};
  EXPECT_EQ(limits.failed("a", start), 0s);
  EXPECT_EQ(limits.failed("b", start), 0s);
  EXPECT_EQ(limits.failed("a", start), 1s);
  EXPECT_EQ(limits.failed("c", start), 0s);
  EXPECT_EQ(limits.size(), 2u);
  EXPECT_EQ(limits.failed("a", start), 2s);
  EXPECT_EQ(limits.failed("b", start), 0s) << "b failed longest ago, and was forgotten";
}

TEST(AuthLimits, AreRead) {
  libconf::Settings settings(nullptr, libconf::Host{});
  settings.override_value("smtpd_error_sleep_time", "3s");
  settings.override_value("smtpd_soft_error_limit", "4");
  settings.override_value("anvil_rate_time_unit", "2m");
  const libconf::Result<AuthLimitSettings> limits = read_auth_limits(settings);
  ASSERT_TRUE(limits);
  EXPECT_EQ(limits->step, 3s);
  EXPECT_EQ(limits->steps, 4);
  EXPECT_EQ(limits->memory, 120s);
}

}  // namespace
}  // namespace mta
