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

TEST(SmtpClientOptions, WhatIsNotThereYetIsNoticed) {
  const struct {
    std::string_view name;
    std::string_view value;
    std::string feature;
    std::string check;
  } cases[] = {
      {"smtp_tls_security_level", "encrypt", "", ""},
      {"smtp_tls_per_site", "static:MUST", "smtp_tls_per_site = static:MUST", ""},
      {"lmtp_tls_per_site", "static:MUST", "", ""},
      {"smtp_generic_maps", "static:x", "", ""},
      {"smtp_body_checks", "static:x", "", "smtp_body_checks = static:x"},
  };
  for (const auto& each : cases) {
    const auto options = read(each.name, each.value);
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(options->missing_feature, each.feature) << each.name;
    EXPECT_EQ(options->missing_check, each.check) << each.name;
  }
}

TEST(SmtpClientOptions, BadValuesAreErrors) {
  EXPECT_FALSE(read("smtp_address_preference", "ipv5"));
  EXPECT_FALSE(read("smtp_host_lookup", "hosts"));
  EXPECT_FALSE(read("smtp_address_verify_target", "vrfy"));
}

}  // namespace
}  // namespace mta
