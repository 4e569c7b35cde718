// What a service changes in commands and replies, and for whom: tables of smtpd_* parameters.
#include "tools/mta/smtp/session_rules.h"

#include <gtest/gtest.h>

#include "tests/libmaps/table_fixture.h"
#include "tools/mta/smtp/forwarded_client.h"
#include "tools/mta/smtp/local_clients.h"

namespace mta {
namespace {

using postkit_test::TableFixture;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr FooterAttributes kAttributes{.client_address = "192.0.2.7",
                                       .client_port = "1234",
                                       .localtime = "Nov 29 01:31:13",
                                       .server_name = "mail"};

/// The reply as it goes out, and behind it the warnings.
std::string finished(const std::string& main_cf, Reply reply) {
  TableFixture fixture(main_cf);
  auto replies = RejectReplies::open(fixture.context);
  if (!replies) return replies.error().message;
  replies->finish(reply, kAttributes, fixture.warnings);
  std::string text;
  reply.append_to(text);
  for (const auto& each : fixture.warnings.items()) text += each.message + "\n";
  return text;
}

TEST(RejectReplies, Soften) {
  const std::string soft = "soft_bounce = yes\n";
  EXPECT_EQ(finished(soft, {550, "5.7.1", "no"}), "450 4.7.1 no\r\n");
  EXPECT_EQ(finished(soft, {501, "", "Syntax: HELO hostname"}), "401 Syntax: HELO hostname\r\n");
  EXPECT_EQ(finished(soft, {450, "4.7.1", "later"}), "450 4.7.1 later\r\n");
  EXPECT_EQ(finished(soft, {250, "2.0.0", "Ok"}), "250 2.0.0 Ok\r\n");
  EXPECT_EQ(finished("", {550, "5.7.1", "no"}), "550 5.7.1 no\r\n");
}

// postconf(5) of Postfix 3.11: the filter sees the reply without a footer, and replaces it.
TEST(RejectReplies, Filter) {
  const std::string filter =
      "smtpd_reject_footer = footer\nsmtpd_reject_filter_maps = regexp:{ {/^550 5.1.1 a$$/ 450 4.1.1 b} "
      "{/^550 5.1.1 c$$/ 250 2.0.0 d} {/^550 5.1.1 e$$/ nonsense} {/^551 f$$/ 551 g} }\n";
  EXPECT_EQ(finished(filter, {550, "5.1.1", "a"}), "450-4.1.1 b\r\n450 4.1.1 footer\r\n");
  EXPECT_EQ(finished(filter, {551, "", "f"}), "551-g\r\n551 footer\r\n");
  EXPECT_EQ(finished(filter, {250, "", "x"}), "250 x\r\n");
  EXPECT_EQ(
      finished(filter, {550, "5.1.1", "c"}),
      "550-5.1.1 c\r\n550 5.1.1 footer\r\nsmtpd_reject_filter_maps: bad SMTP response \"250 2.0.0 d\" for "
      "\"550 5.1.1 c\"\n");
  EXPECT_EQ(finished(filter, {550, "5.1.1", "e"}).substr(0, 13), "550-5.1.1 e\r\n");
  EXPECT_EQ(finished("smtpd_reject_filter_maps = fail:x\n", {550, "5.1.1", "a"}),
            "550 5.1.1 a\r\nfail:x lookup error for \"550 5.1.1 a\"\n");
}

TEST(RejectReplies, FooterOfTables) {
  const std::string maps =
      "smtpd_reject_footer = for all\nsmtpd_reject_footer_maps = regexp:{ {/^550 5.1.1 a$$/ \\c "
      "$$$$client_address} {/^450 later$$/ \\c} }, regexp:{ {/ a$$/ second} {/ b$$/ "
      "$$$$server_name\\n$$$$localtime} }\n";
  EXPECT_EQ(finished(maps, {550, "5.1.1", "a"}), "550 5.1.1 a 192.0.2.7\r\n");
  EXPECT_EQ(finished(maps, {550, "5.1.1", "b"}),
            "550-5.1.1 b\r\n550-5.1.1 mail\r\n550 5.1.1 Nov 29 01:31:13\r\n");
  EXPECT_EQ(finished(maps, {450, "", "later"}), "450 later\r\n");
  EXPECT_EQ(finished(maps, {554, "5.1.1", "x"}), "554-5.1.1 x\r\n554 5.1.1 for all\r\n");
  EXPECT_EQ(finished("smtpd_reject_footer = bad $(\n", {550, "5.1.1", "a"}),
            "550 5.1.1 a\r\ntruncated macro reference: \"bad $(\"\n");
}

TEST(ParseRefusal, TakesRefusalsAlone) {
  EXPECT_EQ(parse_refusal("550 5.1.1 No such user"), Reply(550, "5.1.1", "No such user"));
  EXPECT_EQ(parse_refusal("450 later"), Reply(450, "", "later"));
  EXPECT_EQ(parse_refusal("421 4.7.0  bye"), Reply(421, "4.7.0", "bye"));
  EXPECT_EQ(parse_refusal("421   4.7.0 bye"), Reply(421, "4.7.0", "bye"));
  for (const char* const text :
       {"", "550", "550 ", "550 5.1.1", "550 5.1.1 ", "550-5.1.1 x", "250 2.0.0 Ok", "354 go on", "650 x",
        "55x y", "550 4.1.1 x", "550  4.1.1 x", "450 5.1.1 x", " 550 x"})
    EXPECT_FALSE(parse_refusal(text)) << text;
}

TEST(Escape, IsTheInverseOfUnescape) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(unescape(escape(all)), all);
  EXPECT_EQ(escape("a\r\n\t\\\xc3\x01\0z"), "a\\r\\n\\t\\\\\\303\\001");
}

TEST(EhloDiscard, AddressesBeforeAll) {
  TableFixture fixture(
      "smtpd_discard_ehlo_keywords = dsn\nsmtpd_discard_ehlo_keyword_address_maps = inline:{ {192.0.2.7 = "
      "etrn chunking silent-discard} {192.0.2.8 = nothing} }\n");
  auto discard = EhloDiscard::open(fixture.context);
  ASSERT_TRUE(discard);
  EXPECT_EQ(discard->keywords_for("192.0.2.7")->to_string(), "ETRN CHUNKING");
  EXPECT_TRUE(discard->keywords_for("192.0.2.7")->is_silent());
  EXPECT_EQ(discard->keywords_for("192.0.2.8")->to_string(), "");
  EXPECT_EQ(discard->keywords_for("192.0.2.9")->to_string(), "DSN");
  TableFixture failing("smtpd_discard_ehlo_keyword_address_maps = fail:x\n");
  auto broken = EhloDiscard::open(failing.context);
  ASSERT_TRUE(broken);
  EXPECT_FALSE(broken->keywords_for("192.0.2.7"));
}

TEST(RequestDeadline, CountsWhatIsWaited) {
  RequestDeadline deadline({.limit = seconds(10), .min_data_rate = 100});
  EXPECT_EQ(deadline.left(), seconds(10));
  deadline.spend(seconds(4));
  deadline.spend(milliseconds(500));
  EXPECT_EQ(deadline.left(), milliseconds(5500));
  deadline.earn(200);
  EXPECT_EQ(deadline.left(), milliseconds(7500));
  deadline.earn(1000);
  EXPECT_EQ(deadline.left(), seconds(10)) << "never more than the limit";
  deadline.spend(seconds(11));
  EXPECT_EQ(deadline.left(), seconds(0));
  deadline.earn(SIZE_MAX);
  EXPECT_EQ(deadline.left(), seconds(10));
  deadline.spend(seconds(1));
  deadline.start();
  EXPECT_EQ(deadline.left(), seconds(10));
}

TEST(SessionRules, ReadsThemAll) {
  ClientRates rates(seconds(60), [] { return std::time_t{0}; });
  TableFixture fixture(
      "smtpd_upstream_proxy_protocol = haproxy\nsmtpd_upstream_proxy_timeout = 7s\n"
      "smtpd_per_request_deadline = yes\nsmtpd_timeout = 30s\nsmtpd_min_data_rate = 9\n"
      "smtpd_forbid_bare_newline_exclusions = 192.0.2.0/24\nfast_flush_domains = example.org\n");
  const auto rules = SessionRules::create(fixture.context, rates);
  ASSERT_TRUE(rules) << rules.error().message;
  EXPECT_EQ((*rules)->proxy_timeout(), seconds(7));
  ASSERT_TRUE((*rules)->request_deadline());
  EXPECT_EQ((*rules)->request_deadline()->limit, seconds(30));
  EXPECT_EQ((*rules)->request_deadline()->min_data_rate, 9U);
  const ClientState spared{.address = "192.0.2.7"};
  const ClientState other{.address = "198.51.100.1"};
  EXPECT_EQ((*rules)->bare_newline_for(spared, BareNewline::kReject).value(), BareNewline::kAllow);
  EXPECT_EQ((*rules)->bare_newline_for(other, BareNewline::kReject).value(), BareNewline::kReject);
  EXPECT_TRUE((*rules)->may_flush("example.org").value());
  EXPECT_TRUE((*rules)->may_flush("sub.example.org").value());
  EXPECT_FALSE((*rules)->may_flush("example.com").value());

  TableFixture nginx("smtpd_upstream_proxy_protocol = nginx\n");
  EXPECT_FALSE(SessionRules::create(nginx.context, rates));
}

bool is_local(const std::string& rules, const SmtpdState& state) {
  TableFixture fixture(
      "mynetworks = 192.0.2.0/24\nrelay_clientcerts = inline:{ {AA:BB = x} }\n"
      "local_header_rewrite_clients = " +
      rules + "\n");
  auto clients = LocalClients::open(fixture.context, {*libmaps::parse_ip_address("192.0.2.9")});
  EXPECT_TRUE(clients);
  return clients->has(state).value();
}

TEST(LocalClients, KnowsAllRules) {
  SmtpdState state;
  state.client.address = "192.0.2.7";
  EXPECT_TRUE(is_local("permit_mynetworks", state));
  EXPECT_FALSE(is_local("permit_inet_interfaces", state));
  EXPECT_FALSE(
      is_local("permit_sasl_authenticated, permit_tls_clientcerts permit_tls_all_clientcerts", state));
  EXPECT_TRUE(is_local("permit_sasl_authenticated inline:{ {192.0.2.7 = x} }", state));
  EXPECT_TRUE(is_local("check_address_map inline:{ {192.0.2.7 = x} }", state));
  EXPECT_FALSE(is_local("check_address_map inline:{ {192.0.2 = x} }", state));
  EXPECT_FALSE(is_local("", state));
  EXPECT_TRUE(is_local("static:all", state));
  state.client.address = "192.0.2.9";
  EXPECT_TRUE(is_local("permit_inet_interfaces", state));
  state.client.address = "198.51.100.1";
  EXPECT_FALSE(is_local("permit_mynetworks permit_inet_interfaces", state));
  state.sasl.is_authenticated = true;
  EXPECT_TRUE(is_local("permit_sasl_authenticated", state));
  state.tls.certificate_fingerprint = "CC";
  EXPECT_FALSE(is_local("permit_tls_clientcerts", state));
  state.tls.public_key_fingerprint = "AA:BB";
  EXPECT_TRUE(is_local("permit_tls_clientcerts", state));
  EXPECT_FALSE(is_local("permit_tls_all_clientcerts", state));
  state.tls.is_certificate_trusted = true;
  EXPECT_TRUE(is_local("permit_tls_all_clientcerts", state));
}

using State = ClientAttributeState;

TEST(ForwardedClient, KeepsWhatWasSaid) {
  ForwardedClient client;
  EXPECT_FALSE(client.has_client());
  client.take({{ClientAttributeName::kIdent, State::kKnown, "QQQ"},
               {ClientAttributeName::kSource, State::kKnown, "local"}});
  EXPECT_FALSE(client.has_client());
  EXPECT_EQ(client.ident(), "QQQ");
  EXPECT_EQ(client.is_local(), true);
  client.take({{ClientAttributeName::kName, State::kKnown, "foo.example"}});
  EXPECT_TRUE(client.has_client());
  EXPECT_EQ(client.origin(true), "foo.example");
  client.take({{ClientAttributeName::kAddr, State::kKnown, "192.0.2.9"},
               {ClientAttributeName::kPort, State::kKnown, "99"},
               {ClientAttributeName::kSource, State::kKnown, "REMOTE"}});
  EXPECT_EQ(client.origin(true), "foo.example[192.0.2.9]:99");
  EXPECT_EQ(client.origin(false), "foo.example[192.0.2.9]");
  EXPECT_EQ(client.is_local(), false);
  EXPECT_EQ(client.protocol(), "unknown");
  EXPECT_FALSE(client.helo());
  client.take({{ClientAttributeName::kName, State::kUnavailable, ""},
               {ClientAttributeName::kIdent, State::kUnavailable, ""}});
  EXPECT_EQ(client.origin(false), "unknown[192.0.2.9]");
  EXPECT_FALSE(client.ident());
}

}  // namespace
}  // namespace mta
