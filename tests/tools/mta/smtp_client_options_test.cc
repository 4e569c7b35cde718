#include "tools/mta/delivery/smtp_client_options.h"

#include <gtest/gtest.h>

#include "libconf/host.h"

namespace mta {
namespace {

libconf::Result<SmtpClientOptions> read(std::string_view name, std::string_view value,
                                        ClientProtocol protocol = ClientProtocol::kSmtp) {
  libconf::Settings settings(nullptr, libconf::system_host());
  settings.override_value("myhostname", "mail.example.org");
  settings.override_value(name, value);
  return SmtpClientOptions::read(settings, protocol);
}

TEST(SmtpClientOptions, DefaultsOfPostconf) {
  const auto smtp = read("myhostname", "mail.example.org");
  ASSERT_TRUE(smtp) << smtp.error().message;
  EXPECT_EQ(smtp->helo_name, "mail.example.org");
  EXPECT_EQ(smtp->address_limit, 5U);
  EXPECT_EQ(smtp->session_limit, 2U);
  EXPECT_EQ(smtp->connect_timeout, std::chrono::seconds(30));
  EXPECT_TRUE(smtp->skips_quit_response);
  const auto lmtp = read("myhostname", "mail.example.org", ClientProtocol::kLmtp);
  ASSERT_TRUE(lmtp) << lmtp.error().message;
  EXPECT_EQ(lmtp->default_port, "24");
  EXPECT_EQ(lmtp->connect_timeout, std::chrono::seconds(0));
  EXPECT_FALSE(lmtp->skips_quit_response);
}

TEST(SmtpClientOptions, BadValuesAreErrors) {
  EXPECT_FALSE(read("smtp_address_preference", "ipv5"));
  EXPECT_FALSE(read("smtp_host_lookup", "hosts"));
  EXPECT_FALSE(read("smtp_address_verify_target", "vrfy"));
}

TEST(SmtpClientOptions, WhereConnectionsComeFrom) {
  const auto bare = read("smtp_bind_address", "192.0.2.3");
  ASSERT_TRUE(bare) << bare.error().message;
  EXPECT_EQ(bare->local_end.ipv4, "192.0.2.3");
  EXPECT_FALSE(bare->local_end.is_required);
  const auto bracketed = read("smtp_bind_address", "[192.0.2.3]");
  ASSERT_TRUE(bracketed) << bracketed.error().message;
  EXPECT_EQ(bracketed->local_end.ipv4, "192.0.2.3");
  for (const std::string_view value : {"::1", "foo", "192.0.2.3 192.0.2.4"}) {
    const auto options = read("smtp_bind_address", value);
    ASSERT_FALSE(options) << value;
    EXPECT_EQ(options.error().message,
              "smtp_connect_addr: bad smtp_bind_address parameter: " + std::string(value));
  }
}

TEST(SmtpClientOptions, TheOnlyAddressIsWhereConnectionsComeFrom) {
  const auto complete = [](std::initializer_list<std::string_view> interfaces, LocalEnd local = {}) {
    std::vector<libmaps::IpAddress> addresses;
    for (const std::string_view each : interfaces) addresses.push_back(*libmaps::parse_ip_address(each));
    local.complete(addresses);
    return local.ipv4 + "," + local.ipv6;
  };
  EXPECT_EQ(complete({}), ",");
  EXPECT_EQ(complete({"192.0.2.3"}), "192.0.2.3,");
  EXPECT_EQ(complete({"192.0.2.3", "::1"}), "192.0.2.3,");
  EXPECT_EQ(complete({"192.0.2.3", "2001:db8::1"}), "192.0.2.3,2001:db8::1");
  EXPECT_EQ(complete({"192.0.2.3", "192.0.2.4"}), ",");
  EXPECT_EQ(complete({"192.0.2.3", "127.0.0.1"}), ",");
  EXPECT_EQ(complete({"127.0.0.1"}), ",");
  EXPECT_EQ(complete({"192.0.2.3"}, {.ipv4 = "0.0.0.0"}), "0.0.0.0,");
}

}  // namespace
}  // namespace mta
