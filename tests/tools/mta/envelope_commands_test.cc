#include "tools/mta/delivery/envelope_commands.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

ServerFeatures features(std::string_view keywords) {
  ServerReplyReader reader;
  std::string text = "250-mx\r\n";
  while (!keywords.empty()) {
    const std::size_t end = std::min(keywords.find(','), keywords.size());
    text += "250-" + std::string(keywords.substr(0, end)) + "\r\n";
    keywords.remove_prefix(std::min(end + 1, keywords.size()));
  }
  return {*reader.read(text + "250 OK\r\n"), {}};
}

DeliveryRequest request() {
  return {.sender = "ann@example.org",
          .encoding = "8bit",
          .envelope_id = "a+b",
          .return_flags = kReturnHeaders,
          .send_options = kUtf8Requested,
          .content_size = 300};
}

TEST(EnvelopeCommands, MailSaysWhatTheServerKnows) {
  const struct {
    std::string_view keywords;
    std::string_view wanted;
  } cases[] = {
      {"", "MAIL FROM:<ann@example.org>\r\n"},
      {"SIZE 1000", "MAIL FROM:<ann@example.org> SIZE=300\r\n"},
      {"SIZE", "MAIL FROM:<ann@example.org>\r\n"},
      {"8BITMIME", "MAIL FROM:<ann@example.org> BODY=8BITMIME\r\n"},
      {"DSN", "MAIL FROM:<ann@example.org> ENVID=a+2Bb RET=HDRS\r\n"},
      {"SMTPUTF8", "MAIL FROM:<ann@example.org> BODY=8BITMIME SMTPUTF8\r\n"},
  };
  for (const auto& each : cases) {
    std::string out;
    append_mail_command(out, request(), features(each.keywords), {});
    EXPECT_EQ(out, each.wanted) << each.keywords;
  }
}

TEST(EnvelopeCommands, RecipientsAreQuotedWhereThatIsWanted) {
  std::string out;
  append_rcpt_command(out, {.address = "a b@example.com"}, features(""), true);
  append_rcpt_command(out, {.address = "a b@example.com"}, features(""), false);
  EXPECT_EQ(out, "RCPT TO:<\"a b\"@example.com>\r\nRCPT TO:<a b@example.com>\r\n");
}

TEST(EnvelopeCommands, RecipientsOfADsnServer) {
  const QueueRecipient recipient{.address = "bob@example.com",
                                 .dsn_original = "rfc822;b+b@example.com",
                                 .notify = kNotifySuccess | kNotifyDelay};
  std::string out;
  append_rcpt_command(out, recipient, features("DSN"), true);
  EXPECT_EQ(out, "RCPT TO:<bob@example.com> ORCPT=rfc822;b+2Bb@example.com NOTIFY=SUCCESS,DELAY\r\n");
}

TEST(EnvelopeCommands, XforwardHasWhatIsTakenAndKnown) {
  const DeliveryOrigin origin{.client_name = "client.example",
                              .client_address = "192.0.2.7",
                              .helo_name = "a b",
                              .protocol = "ESMTP",
                              .rewrite_context = "remote"};
  std::string out;
  append_xforward_client(out, origin, features("XFORWARD NAME PORT PROTO HELO SOURCE"));
  append_xforward_session(out, origin, features("XFORWARD NAME PORT PROTO HELO SOURCE"));
  EXPECT_EQ(out, "XFORWARD NAME=client.example\r\nXFORWARD PROTO=ESMTP HELO=a+20b SOURCE=REMOTE\r\n");
  out.clear();
  append_xforward_client(out, {}, features("XFORWARD NAME ADDR PORT"));
  EXPECT_EQ(out, "");
}

TEST(EnvelopeCommands, WhatNeedsSmtputf8) {
  DeliveryRequest one{.sender = "ann@example.org"};
  one.recipients = {{.address = "bob@example.com"},
                    {.address = "b\xc3\xb6"
                                "b@example.com"}};
  one.send_options = kUtf8Requested;
  EXPECT_FALSE(needs_smtputf8(one, {0}));
  EXPECT_TRUE(needs_smtputf8(one, {0, 1}));
  one.send_options = kUtf8InHeaders;
  EXPECT_FALSE(needs_smtputf8(one, {0}));
  one.send_options = kUtf8Requested | kUtf8InHeaders;
  EXPECT_TRUE(needs_smtputf8(one, {0}));
}

}  // namespace
}  // namespace mta
