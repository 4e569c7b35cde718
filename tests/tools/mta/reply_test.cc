#include "tools/mta/smtp/reply.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

constexpr FooterAttributes kAttributes{.client_address = "127.0.0.1",
                                       .client_port = "39022",
                                       .localtime = "Nov 28 22:27:19",
                                       .server_name = "mail"};
constexpr std::string_view kFilter = "\\40abcdefghijklmnopqrstuvwxyzN:.0123456789";

std::string text_of(const Reply& reply) {
  std::string out;
  reply.append_to(out);
  return out;
}

std::string with_footer(std::string_view footer, Reply reply, std::string_view filter = kFilter) {
  libconf::DiagnosticDiscard warnings;
  const auto done = ReplyFooter(footer, filter).apply(reply, kAttributes, warnings);
  return done ? text_of(reply) : "error";
}

TEST(Reply, HasTheCodesInEachLine) {
  EXPECT_EQ(text_of({250, "2.0.0", "Ok"}), "250 2.0.0 Ok\r\n");
  EXPECT_EQ(text_of({250, "", "mail"}), "250 mail\r\n");
  EXPECT_EQ(text_of({250, "", "mail\nSIZE\nDSN"}), "250-mail\r\n250-SIZE\r\n250 DSN\r\n");
  EXPECT_EQ(text_of({550, "5.1.1", "a\nb"}), "550-5.1.1 a\r\n550 5.1.1 b\r\n");
  EXPECT_EQ(Reply(550, "5.1.1", "a\nb").to_string(), "550 5.1.1 a b");
}

TEST(Reply, KnowsWhatItMeans) {
  EXPECT_FALSE(Reply(250, "", "").is_error());
  EXPECT_FALSE(Reply(354, "", "").is_error());
  EXPECT_TRUE(Reply(450, "", "").is_error());
  for (const int code : {221, 421, 521}) EXPECT_TRUE(Reply(code, "", "").closes_connection()) << code;
  for (const int code : {220, 250, 450, 550}) EXPECT_FALSE(Reply(code, "", "").closes_connection()) << code;
}

// smtpd_reject_footer in postconf(5); the replies are those of Postfix 3.7.
TEST(ReplyFooter, FollowsErrors) {
  const Reply unknown(500, "5.5.2", "Error: command not recognized");
  EXPECT_EQ(with_footer("", unknown), "500 5.5.2 Error: command not recognized\r\n");
  EXPECT_EQ(with_footer("\\c. Call us $client_address $server_name\\nLine 2 $nosuch", unknown),
            "500-5.5.2 Error: command not recognized. Call us 127.0.0.1 mail\r\n500 5.5.2 Line 2 \r\n");
  EXPECT_EQ(with_footer("New line. $localtime ${client_port}\\nb\\cx\\n", unknown),
            "500-5.5.2 Error: command not recognized\r\n500-5.5.2 New line. Nov 28 22:27:19 39022\r\n"
            "500-5.5.2 b\\cx\r\n500 5.5.2 \r\n");
  EXPECT_EQ(with_footer("x\\ny", {501, "", "Syntax: HELO hostname"}),
            "501-Syntax: HELO hostname\r\n501-x\r\n501 y\r\n");
  EXPECT_EQ(with_footer("footer", {250, "2.0.0", "Ok"}), "250 2.0.0 Ok\r\n");
  EXPECT_EQ(with_footer("footer", {221, "2.7.0", "Bye"}), "221 2.7.0 Bye\r\n");
}

TEST(ReplyFooter, FiltersWhatAttributesBring) {
  EXPECT_EQ(with_footer("\\c $client_address", {500, "", "x"}, "12"), "500 x 12______1\r\n");
}

TEST(ReplyFooter, ReportsAMalformedTemplate) {
  EXPECT_EQ(with_footer("${client_address", {500, "", "x"}), "error");
}

TEST(ParseReply, TakesCodesApart) {
  EXPECT_EQ(parse_reply("554 5.7.1 no"), Reply(554, "5.7.1", "no"));
  EXPECT_EQ(parse_reply("334 VXNlcm5hbWU6"), Reply(334, "", "VXNlcm5hbWU6"));
  EXPECT_EQ(parse_reply("334 "), Reply(334, "", ""));
  EXPECT_EQ(parse_reply("450 4.7.x later"), Reply(450, "", "4.7.x later"));
}

TEST(Unescape, KnowsCEscapes) { EXPECT_EQ(unescape("\\t\\40!\\\\\\n\\101\\q\\"), "\t !\\\nAq\\"); }

}  // namespace
}  // namespace mta
