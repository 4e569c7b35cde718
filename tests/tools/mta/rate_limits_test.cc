#include "tools/mta/smtp/rate_limits.h"

#include <gtest/gtest.h>

#include "libmaps/open.h"
#include "tests/libmaps/table_fixture.h"

namespace mta {
namespace {

using postkit_test::TableFixture;

constexpr std::string_view kSettings =
    "myhostname = mail.example\nsmtpd_client_event_limit_exceptions = 192.0.2.1\n";

class RateLimitsTest : public testing::Test {
 protected:
  void use(const std::string& main_cf) {
    fixture_ = std::make_unique<TableFixture>(std::string(kSettings) + main_cf);
    auto limits = RateLimits::create(fixture_->settings, "smtp", rates_, [this](std::string_view spec) {
      return libmaps::open(spec, fixture_->context);
    });
    ASSERT_TRUE(limits) << limits.error().message;
    limits_ = std::move(*limits);
  }

  LimitedClient client(const std::string& address) {
    return limits_->limit({.address = address}, "unknown[" + address + "]").value();
  }

  /// "421 4.7.0 text | warning", or "".
  static std::string text_of(const std::optional<RateRefusal>& refusal) {
    return refusal ? refusal->reply.to_string() + " | " + refusal->warning : "";
  }

  ClientRates rates_{std::chrono::seconds(60), [] { return std::time_t{1'795'000'000}; }};
  std::unique_ptr<TableFixture> fixture_;
  std::unique_ptr<RateLimits> limits_;
};

// Replies and warnings are those of Postfix 3.7.
TEST_F(RateLimitsTest, RefusesConnections) {
  use("smtpd_client_connection_count_limit = 1\nsmtpd_client_connection_rate_limit = 3\n");
  LimitedClient first = client("192.0.2.7");
  EXPECT_EQ(text_of(first.connect()), "");
  {
    LimitedClient second = client("192.0.2.7");
    EXPECT_EQ(text_of(second.connect()),
              "421 4.7.0 mail.example Error: too many connections from 192.0.2.7 | Connection concurrency "
              "limit exceeded: 2 from unknown[192.0.2.7] for service smtp");
    EXPECT_EQ(text_of(client("192.0.2.8").connect()), "");
  }
  first.disconnect();
  EXPECT_EQ(text_of(client("192.0.2.7").connect()), "") << "both have gone";
  EXPECT_EQ(text_of(client("192.0.2.7").connect()),
            "421 4.7.0 mail.example Error: too many connections from 192.0.2.7 | Connection rate limit "
            "exceeded: 4 from unknown[192.0.2.7] for service smtp");
}

TEST_F(RateLimitsTest, MovesWithItsClient) {
  use("smtpd_client_connection_count_limit = 1\n");
  LimitedClient first = client("192.0.2.7");
  first.connect();
  LimitedClient second = std::move(first);
  first.disconnect();
  EXPECT_NE(text_of(client("192.0.2.7").connect()), "");
  second = LimitedClient();
  EXPECT_EQ(text_of(client("192.0.2.7").connect()), "");
}

TEST_F(RateLimitsTest, RefusesWhatIsTooFrequent) {
  use("smtpd_client_connection_count_limit = 0\nsmtpd_client_message_rate_limit = 1\n"
      "smtpd_client_recipient_rate_limit = 1\nsmtpd_client_auth_rate_limit = 1\n"
      "smtpd_client_new_tls_session_rate_limit = 1\n");
  LimitedClient one = client("192.0.2.7");
  one.connect();
  const struct {
    ClientEvent event;
    const char* text;
  } events[] = {
      {ClientEvent::kMessage,
       "450 4.7.1 Error: too much mail from 192.0.2.7 | Message delivery request rate limit exceeded: 2 from "
       "unknown[192.0.2.7] for service smtp"},
      {ClientEvent::kRecipient,
       "450 4.7.1 Error: too many recipients from 192.0.2.7 | Recipient address rate limit exceeded: 2 from "
       "unknown[192.0.2.7] for service smtp"},
      {ClientEvent::kAuth,
       "450 4.7.1 Error: too many AUTH commands from 192.0.2.7 | AUTH command rate limit exceeded: 2 from "
       "unknown[192.0.2.7] for service smtp"},
      {ClientEvent::kTlsSession,
       "421 4.7.0 mail.example Error: too many new TLS sessions from unknown[192.0.2.7] | New TLS session "
       "rate limit exceeded: 2 from unknown[192.0.2.7] for service smtp"},
  };
  for (const auto& [event, text] : events) {
    EXPECT_EQ(text_of(one.refuse_tls(false)), "") << text;
    EXPECT_EQ(text_of(one.count(event)), "") << text;
    EXPECT_EQ(text_of(one.count(event)), text);
  }
  EXPECT_EQ(text_of(one.refuse_tls(false)),
            "454 4.7.0 Error: too many new TLS sessions from unknown[192.0.2.7] | Refusing STARTTLS request "
            "from unknown[192.0.2.7] for service smtp");
  EXPECT_EQ(one.refuse_tls(true)->warning,
            "Refusing TLS service request from unknown[192.0.2.7] for service smtp");
}

TEST_F(RateLimitsTest, CountsWhatIsLimitedAlone) {
  use("smtpd_client_connection_count_limit = 0\nsmtpd_client_message_rate_limit = 1\n");
  {
    LimitedClient one = client("192.0.2.7");
    one.connect();
    for (int times = 0; times < 3; ++times) EXPECT_EQ(text_of(one.count(ClientEvent::kRecipient)), "");
    EXPECT_EQ(rates_.rate(ClientEvent::kRecipient, "smtp:192.0.2.7"), 0U);
    EXPECT_EQ(rates_.rate(ClientEvent::kConnection, "smtp:192.0.2.7"), 1U);

    LimitedClient spared = client("192.0.2.1");
    spared.connect();
    for (int times = 0; times < 3; ++times) EXPECT_EQ(text_of(spared.count(ClientEvent::kMessage)), "");
    EXPECT_EQ(rates_.size(), 1U) << "an exception is not counted";
  }

  use("smtpd_client_connection_count_limit = 0\n");
  LimitedClient free = client("192.0.2.9");
  EXPECT_EQ(text_of(free.connect()), "");
  EXPECT_EQ(rates_.size(), 1U) << "nothing is limited";
}

TEST(RateNetwork, IsTheAddressOrItsNetwork) {
  const struct {
    const char* address;
    int ipv4_prefix;
    int ipv6_prefix;
    const char* network;
  } cases[] = {{"192.0.2.7", 32, 84, "192.0.2.7"},
               {"192.0.2.7", 24, 84, "192.0.2.0/24"},
               {"192.0.2.7", 0, 84, "0.0.0.0/0"},
               {"2001:db8::7", 32, 84, "2001:db8::/84"},
               {"2001:db8:0:0:0:ffff::7", 32, 84, "2001:db8::f000:0:0/84"},
               {"2001:db8::7", 32, 128, "2001:db8::7"},
               {"2001:db8::7", 32, 0, "::/0"},
               {"unknown", 24, 84, "unknown"}};
  for (const auto& [address, ipv4_prefix, ipv6_prefix, network] : cases)
    EXPECT_EQ(rate_network(address, ipv4_prefix, ipv6_prefix), network);
}

}  // namespace
}  // namespace mta
