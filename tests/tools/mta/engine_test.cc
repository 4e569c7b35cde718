// Expected replies are those of a genuine smtpd, asked through XCLIENT with the same names in its DNS, and of
// postconf(5). tests/differential compares at random.
#include "tools/mta/access/engine.h"

#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <map>
#include <string>
#include <vector>

#include "tests/tools/mta/site_addresses.h"
#include "tools/mta/access/policy_settings.h"
#include "tools/mta/dns/scripted_resolver.h"

namespace mta {
namespace {

constexpr const char* kMainCf = R"(
compatibility_level = 3.6
myhostname = mx.test.example
mydestination = local.example
mynetworks = 10.0.0.0/8
relay_domains = relay.example
virtual_alias_domains = va.example
virtual_alias_maps = inline:{{bob@va.example=ann@local.example}}
virtual_mailbox_domains = vm.example
virtual_mailbox_maps = inline:{{z@vm.example=x}}
relay_recipient_maps = inline:{{r@relay.example=x}}
relocated_maps = inline:{{old@local.example=new@x.example}}
canonical_maps = inline:{{canon@local.example=ann@local.example}}
local_recipient_maps = inline:{ann=x}
alias_maps =
proxy_interfaces = 192.0.2.77
smtpd_sender_login_maps = inline:{{own@local.example=joe},{@team.example=joe, sue}}
smtpd_relay_restrictions = check_client_access static:OK, reject
smtpd_reject_unlisted_recipient = no
)";

constexpr const char* kZone = R"(
example.com MX 10 mail.example.com
mail.example.com A 192.0.2.1
example.com A 192.0.2.2
example.com NS ns1.example.com
ns1.example.com A 192.0.2.53
alias.example.com CNAME example.com
nullmx.example MX 0 .
tempfail.example SERVFAIL
aonly.example A 192.0.2.9
mxbroken.example MX 10 nohost.invalid
txtonly.example TXT hello
client.example A 192.0.2.7
7.2.0.192.rbl.example A 127.0.0.2
7.2.0.192.rbl.example TXT "listed, see http://rbl.example/"
8.2.0.192.rbl.example A 127.0.0.4
7.2.0.192.tempfail.example SERVFAIL
bad.example.rhsbl.example A 127.0.0.2
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.rbl.example A 127.0.0.2
filtered.example A 192.0.2.99
mxfiltered.example MX 10 filtered.example
mxloop.example MX 10 mail.example.com
mxloop.example MX 20 own.example
own.example A 192.0.2.77
mxself.example MX 10 own.example
mxlost.example MX 10 mail.example.com
mxlost.example MX 20 nowhere.example
mxlater.example MX 10 tempfail.example
mxhere.example MX 20 nowhere.example
mxhere.example MX 10 own.example
mxunsure.example MX 10 nowhere.example
mxunsure.example MX 20 own.example
)";

using Values = std::map<std::string, std::string>;

class ScriptedVerifier final : public AddressVerifier {
 public:
  asio::awaitable<Verification> verify(std::string address, std::chrono::seconds) override {
    if (address.starts_with("dead@"))
      co_return Verification{VerificationStatus::kUndeliverable, "5.1.1", "no such user"};
    if (address.starts_with("slow@"))
      co_return Verification{VerificationStatus::kUnknown, "4.4.1", "come back"};
    co_return Verification{VerificationStatus::kDeliverable};
  }
};

class ScriptedPolicy final : public PolicyService {
 public:
  asio::awaitable<std::string> ask(const PolicyServiceSettings& settings, const SmtpdState&,
                                   const std::function<void(std::string)>&) override {
    co_return settings.policy_context;
  }
};

/// As smtpd_dns_reply_filter may make it.
class FilteredResolver final : public Resolver {
 public:
  explicit FilteredResolver(Resolver& resolver) : resolver_(resolver) {}
  asio::awaitable<DnsAnswer> resolve(std::string name, DnsType type) override {
    const bool is_filtered = name == "filtered.example" && type == DnsType::kA;
    DnsAnswer answer = co_await resolver_.resolve(std::move(name), type);
    if (is_filtered) answer = {.status = DnsStatus::kFiltered};
    co_return answer;
  }

 private:
  Resolver& resolver_;
};

/// A site with its engine; `settings` go over kMainCf.
class Site {
 public:
  explicit Site(const Values& settings)
      : document_(libconf::MainCfDocument::parse(kMainCf, "main.cf")),
        settings_(&document_, libconf::Host{"mx.test.example", {}, {}}),
        resolver_(*ScriptedResolver::parse(kZone, "zone")) {
    for (const auto& [name, value] : settings) settings_.override_value(name, value);
    addresses_ = std::move(*SiteAddresses::create(settings_, {"127.0.0.1"}));
    auto made = AccessEngine::create(
        settings_,
        {filtered_, resolver_, *addresses_, verifier_, policy_,
         [this](std::chrono::seconds seconds) -> asio::awaitable<void> {
           slept += seconds;
           co_return;
         }},
        {.interface_addresses = {"127.0.0.1"},
         .proxy_addresses = {"192.0.2.77"},
         .is_local_site = [this](std::string_view domain) { return addresses_->is_local(domain); }},
        warnings);
    if (made)
      engine = std::move(*made);
    else
      error = made.error().message;
  }

  Verdict check(const SmtpdState& state, AccessTrace* trace = nullptr) {
    Verdict verdict;
    asio::io_context context;
    asio::co_spawn(
        context, [&]() -> asio::awaitable<void> { verdict = co_await engine->check(state, memory, trace); },
        [](std::exception_ptr failure) {
          if (failure) std::rethrow_exception(failure);
        });
    context.run();
    return verdict;
  }

  std::string error;
  libconf::DiagnosticList warnings;
  AccessMemory memory;
  std::chrono::seconds slept{};
  std::unique_ptr<AccessEngine> engine;

 private:
  libconf::MainCfDocument document_;
  libconf::Settings settings_;
  ScriptedResolver resolver_;
  FilteredResolver filtered_{resolver_};
  ScriptedVerifier verifier_;
  ScriptedPolicy policy_;
  std::unique_ptr<SiteAddresses> addresses_;
};

/// A client with a good name that has sent RCPT TO.
SmtpdState recipient_state() {
  SmtpdState state;
  state.stage = SmtpStage::kRcpt;
  state.client = {"192.0.2.7",        "4567",           "client.example",
                  NameStatus::kFound, "client.example", NameStatus::kFound};
  state.protocol = "ESMTP";
  state.helo = "client.example";
  state.sender = "a@example.com";
  state.recipient = "ann@local.example";
  return state;
}

SmtpdState with(void (*change)(SmtpdState&)) {
  SmtpdState state = recipient_state();
  change(state);
  return state;
}

const SmtpdState kGood = recipient_state();

SmtpdState from(const char* sender) {
  SmtpdState state = recipient_state();
  state.sender = sender;
  return state;
}
SmtpdState to(const char* recipient) {
  SmtpdState state = recipient_state();
  state.recipient = recipient;
  return state;
}
SmtpdState helo(const char* name) {
  SmtpdState state = recipient_state();
  state.helo = name;
  return state;
}
SmtpdState login(const char* user, const char* sender) {
  SmtpdState state = from(sender);
  state.sasl.is_authenticated = true;
  state.sasl.username = user;
  return state;
}
const SmtpdState kNameless = with([](SmtpdState& state) {
  state.client = {"192.0.2.8", "1", "unknown", NameStatus::kNotFound, "unknown", NameStatus::kNotFound};
});
const SmtpdState kSlowName = with([](SmtpdState& state) {
  state.client = {
      "192.0.2.9", "1", "unknown", NameStatus::kTemporaryFailure, "unknown", NameStatus::kTemporaryFailure};
});
const SmtpdState kUnverifiedName = with([](SmtpdState& state) {
  state.client = {"192.0.2.10", "1", "unknown", NameStatus::kNotFound, "rev.example", NameStatus::kFound};
});

struct Case {
  const char* restrictions;  ///< smtpd_recipient_restrictions; "defer" follows, so that what permits shows.
  SmtpdState state;
  const char* reply;  ///< Empty: permitted.
};

constexpr const char* kDeferred =
    "450 4.3.2 <ann@local.example>: Recipient address rejected: Try again later";

void expect_replies(const std::vector<Case>& cases, Values settings = {}) {
  for (const Case& each : cases) {
    SCOPED_TRACE(each.restrictions);
    settings["smtpd_recipient_restrictions"] = std::string(each.restrictions) + ", defer";
    Site site(settings);
    ASSERT_EQ(site.error, "");
    const Verdict verdict = site.check(each.state);
    EXPECT_EQ(verdict.reply, each.reply);
    EXPECT_EQ(verdict.kind == VerdictKind::kReject, *each.reply != '\0');
  }
}

TEST(AccessEngine, GenericRestrictions) {
  expect_replies({
      {"permit", kGood, ""},
      {"reject", kGood, "554 5.7.1 <ann@local.example>: Recipient address rejected: Access denied"},
      {"defer", kGood, kDeferred},
      {"defer_if_permit, permit", kGood,
       "450 4.7.0 <ann@local.example>: Recipient address rejected: defer_if_permit requested"},
      {"defer_if_permit, reject", kGood,
       "554 5.7.1 <ann@local.example>: Recipient address rejected: Access denied"},
      {"defer_if_reject, reject", kGood,
       "450 4.7.0 <ann@local.example>: Recipient address rejected: defer_if_reject requested"},
      {"defer_if_reject, permit", kGood, ""},
      {"permit_mynetworks", kGood, kDeferred},
      {"permit_mynetworks", with([](SmtpdState& s) { s.client.address = "10.1.2.3"; }), ""},
      {"permit_inet_interfaces", kGood, kDeferred},
      {"permit_inet_interfaces", with([](SmtpdState& s) { s.client.address = "127.0.0.1"; }), ""},
      {"permit_sasl_authenticated", kGood, kDeferred},
      {"permit_sasl_authenticated", login("joe", "a@example.com"), ""},
      {"permit_tls_all_clientcerts", with([](SmtpdState& s) { s.tls.has_certificate = true; }), kDeferred},
      {"permit_tls_all_clientcerts",
       with([](SmtpdState& s) { s.tls.has_certificate = s.tls.is_certificate_trusted = true; }), ""},
      {"reject_plaintext_session", kGood, "450 4.7.1 Session encryption is required"},
      {"reject_plaintext_session, permit", with([](SmtpdState& s) { s.tls.is_encrypted = true; }), ""},
      {"reject_unauth_pipelining, permit", kGood, ""},
      {"reject_unauth_pipelining, permit", with([](SmtpdState& s) { s.has_unauthorized_pipelining = true; }),
       "503 5.5.0 <ann@local.example>: Recipient address rejected: Improper use of SMTP command pipelining"},
      {"reject_multi_recipient_bounce, permit", from(""), ""},
      {"reject_multi_recipient_bounce, permit", with([](SmtpdState& s) {
         s.sender = "";
         s.recipient_count = 1;
       }),
       "550 5.5.3 <ann@local.example>: Recipient address rejected: Multi-recipient bounce"},
      {"no_such_thing, permit", kGood, "451 4.3.5 Server configuration error"},
      {"check_client_access, permit", kGood, "451 4.3.5 Server configuration error"},
      // A refusal that is only warned of does not end the list.
      {"warn_if_reject reject, permit", kGood, ""},
      {"warn_if_reject defer, reject", kGood,
       "554 5.7.1 <ann@local.example>: Recipient address rejected: Access denied"},
      {"warn_if_reject permit, reject", kGood, ""},
      {"warn_if_reject no_such_thing, permit", kGood, "451 4.3.5 Server configuration error"},
      {"sleep x, permit", kGood, "451 4.3.5 Server configuration error"},
      {"check_relay_domains", kGood, "451 4.3.5 Server configuration error"},
      {"warn_if_reject reject_plaintext_session, permit", kGood, ""},
  });
}

TEST(AccessEngine, ClientNames) {
  expect_replies(
      {
          {"reject_unknown_client_hostname, permit", kGood, ""},
          {"reject_unknown_client_hostname", kNameless,
           "550 5.7.25 Client host rejected: cannot find your hostname, [192.0.2.8]"},
          {"reject_unknown_client_hostname", kSlowName,
           "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.9]"},
          {"reject_unknown_client_hostname", kUnverifiedName,
           "550 5.7.25 Client host rejected: cannot find your hostname, [192.0.2.10]"},
          {"reject_unknown_reverse_client_hostname, permit", kUnverifiedName, ""},
          {"reject_unknown_reverse_client_hostname", kNameless,
           "550 5.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.8]"},
          {"reject_unknown_reverse_client_hostname", kSlowName,
           "450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.9]"},
      },
      {{"unknown_client_reject_code", "550"}});
}

TEST(AccessEngine, Destinations) {
  expect_replies({
      {"reject_unauth_destination, permit", kGood, ""},
      {"reject_unauth_destination", to("x@y.example"), "554 5.7.1 <x@y.example>: Relay access denied"},
      {"defer_unauth_destination", to("x@y.example"), "454 4.7.1 <x@y.example>: Relay access denied"},
      {"reject_unauth_destination", to("a%b@local.example"),
       "554 5.7.1 <a%b@local.example>: Relay access denied"},
      {"reject_unauth_destination", to("a@b@local.example"),
       "554 5.7.1 <a@b@local.example>: Relay access denied"},
      {"reject_unauth_destination, permit", to("r@sub.relay.example"), ""},
      {"reject", to("postmaster"), ""},
      {"permit_auth_destination", kGood, ""},
      {"permit_auth_destination", to("x@y.example"),
       "450 4.3.2 <x@y.example>: Recipient address rejected: Try again later"},
      {"permit_mx_backup", to("x@mxloop.example"), ""},
      {"permit_mx_backup", to("x@mxself.example"),
       "450 4.3.2 <x@mxself.example>: Recipient address rejected: Try again later"},
      {"permit_mx_backup, reject", to("a@tempfail.example"),
       "450 4.4.4 <a@tempfail.example>: Recipient address rejected: Unable to look up mail exchanger "
       "information: "
       "Host not found, try again"},
      {"permit_mx_backup, reject", to("x@mxlost.example"),
       "450 4.4.4 <x@mxlost.example>: Recipient address rejected: Unable to look up mail exchanger host "
       "nowhere.example: Name or service not known"},
      {"permit_mx_backup, reject", to("x@mxlater.example"),
       "450 4.4.4 <x@mxlater.example>: Recipient address rejected: Unable to look up mail exchanger host "
       "tempfail.example: Temporary failure in name resolution"},
      {"permit_mx_backup, reject", to("x@mxhere.example"),
       "554 5.7.1 <x@mxhere.example>: Recipient address rejected: Access denied"},
      {"permit_mx_backup", to("x@mxunsure.example"), ""},
      {"permit_mx_backup, reject", to("a@nullmx.example"),
       "554 5.7.1 <a@nullmx.example>: Recipient address rejected: Access denied"},
  });
}

TEST(AccessEngine, FormsOfNamesAndAddresses) {
  expect_replies({
      {"reject_non_fqdn_sender, permit", from("a@b"),
       "504 5.5.2 <a@b>: Sender address rejected: need fully-qualified address"},
      {"reject_non_fqdn_sender, permit", from("a"),
       "504 5.5.2 <a>: Sender address rejected: need fully-qualified address"},
      {"reject_non_fqdn_sender, permit", from(""), ""},
      {"reject_non_fqdn_sender, permit", from("a@[1.2.3.4]"), ""},
      {"reject_non_fqdn_sender, permit", from("a@b.c."), ""},
      {"reject_non_fqdn_recipient, permit", to("a"),
       "504 5.5.2 <a>: Recipient address rejected: need fully-qualified address"},
      {"reject_non_fqdn_helo_hostname, permit", helo("foo"),
       "504 5.5.2 <foo>: Helo command rejected: need fully-qualified hostname"},
      {"reject_non_fqdn_helo_hostname, permit", helo("1.2.3.4"),
       "504 5.5.2 <1.2.3.4>: Helo command rejected: need fully-qualified hostname"},
      {"reject_non_fqdn_helo_hostname, permit", helo("[1.2.3.4]"), ""},
      {"reject_non_fqdn_helo_hostname, permit", helo("[foo]"),
       "501 5.5.2 <[foo]>: Helo command rejected: invalid ip address"},
      {"reject_invalid_helo_hostname, permit", helo("foo..bar"),
       "501 5.5.2 <foo..bar>: Helo command rejected: Invalid name"},
      {"reject_invalid_helo_hostname, permit", helo("12.34"),
       "501 5.5.2 <12.34>: Helo command rejected: Invalid name"},
      {"reject_invalid_helo_hostname, permit", helo("1.2.3.4"), ""},
      {"reject_invalid_helo_hostname, permit", helo("a._b"), ""},
      {"reject_invalid_helo_hostname, permit", helo("a-.b"),
       "501 5.5.2 <a-.b>: Helo command rejected: Invalid name"},
      {"reject_invalid_helo_hostname, permit", with([](SmtpdState& s) { s.helo.reset(); }), ""},
  });
}

TEST(AccessEngine, NamesInTheDns) {
  expect_replies({
      {"reject_unknown_sender_domain, permit", kGood, ""},
      {"reject_unknown_sender_domain, permit", from("a@nxdomain.example"),
       "450 4.1.8 <a@nxdomain.example>: Sender address rejected: Domain not found"},
      {"reject_unknown_sender_domain, permit", from("a@nullmx.example"),
       "550 5.7.27 <a@nullmx.example>: Sender address rejected: Domain nullmx.example does not accept mail "
       "(nullMX)"},
      {"reject_unknown_sender_domain, permit", from("a@tempfail.example"),
       "450 4.1.8 <a@tempfail.example>: Sender address rejected: Domain not found"},
      {"reject_unknown_sender_domain, reject", from("a@tempfail.example"),
       "554 5.7.1 <ann@local.example>: Recipient address rejected: Access denied"},
      {"reject_unknown_sender_domain, permit", from("a@aonly.example"), ""},
      {"reject_unknown_sender_domain, permit", from("a@mxbroken.example"), ""},
      {"reject_unknown_sender_domain, permit", from("a@alias.example.com"), ""},
      {"reject_unknown_sender_domain, permit", from("a@[192.0.2.1]"), ""},
      {"reject_unknown_sender_domain, permit", from("a@va.example"), ""},
      {"reject_unknown_recipient_domain, permit", to("a@nullmx.example"),
       "556 5.1.10 <a@nullmx.example>: Recipient address rejected: Domain nullmx.example does not accept "
       "mail (nullMX)"},
      {"reject_unknown_recipient_domain, permit", to("a@relay.example"),
       "450 4.1.2 <a@relay.example>: Recipient address rejected: Domain not found"},
      {"reject_unknown_helo_hostname, permit", helo("nxdomain.example"),
       "450 4.7.1 <nxdomain.example>: Helo command rejected: Host not found"},
      {"reject_unknown_helo_hostname, permit", helo("example.com."),
       "450 4.7.1 <example.com.>: Helo command rejected: Host not found"},
      {"reject_unknown_helo_hostname, permit", helo("nullmx.example"), ""},
      {"reject_unknown_helo_hostname, permit", helo("tempfail.example"),
       "450 4.7.1 <tempfail.example>: Helo command rejected: Host not found"},
  });
}

TEST(AccessEngine, DnsLists) {
  expect_replies({
      {"reject_rbl_client rbl.example", kGood,
       "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using rbl.example; listed, see "
       "http://rbl.example/"},
      {"reject_rbl_client rbl.example", kNameless,
       "554 5.7.1 Service unavailable; Client host [192.0.2.8] blocked using rbl.example"},
      {"reject_rbl_client rbl.example=127.0.0.[3..5;9], permit", kGood, ""},
      {"reject_rbl_client rbl.example=127.0.0.[3..5;9]", kNameless,
       "554 5.7.1 Service unavailable; Client host [192.0.2.8] blocked using rbl.example"},
      {"reject_rbl_client rbl.example", with([](SmtpdState& s) { s.client.address = "2001:db8::1"; }),
       "554 5.7.1 Service unavailable; Client host [2001:db8::1] blocked using rbl.example"},
      {"reject_rbl_client tempfail.example, permit", kGood, ""},
      {"reject_rhsbl_sender rhsbl.example", from("x@bad.example"),
       "554 5.7.1 Service unavailable; Sender address [x@bad.example] blocked using rhsbl.example"},
      {"reject_rhsbl_recipient rhsbl.example", to("x@bad.example"),
       "554 5.7.1 Service unavailable; Recipient address [x@bad.example] blocked using rhsbl.example"},
      {"reject_rhsbl_helo rhsbl.example", helo("bad.example"),
       "554 5.7.1 Service unavailable; Helo command [bad.example] blocked using rhsbl.example"},
      {"reject_rhsbl_client rhsbl.example", with([](SmtpdState& s) { s.client.name = "bad.example"; }),
       "554 5.7.1 Service unavailable; Client host [bad.example] blocked using rhsbl.example"},
      {"reject_rhsbl_reverse_client rhsbl.example",
       with([](SmtpdState& s) { s.client.reverse_name = "bad.example"; }),
       "554 5.7.1 Service unavailable; Unverified Client host [bad.example] blocked using rhsbl.example"},
      {"permit_dnswl_client rbl.example", kGood, ""},
      {"permit_dnswl_client rbl.example, reject", to("x@y.example"),
       "554 5.7.1 <x@y.example>: Recipient address rejected: Access denied"},
      {"permit_dnswl_client tempfail.example, reject", kGood,
       "450 4.7.1 <192.0.2.7>: Client host rejected: Service unavailable"},
      {"permit_rhswl_client rhsbl.example", with([](SmtpdState& s) { s.client.name = "bad.example"; }), ""},
  });
  expect_replies(
      {{"reject_rbl_client rbl.example", kGood, "554 5.0.0 192.0.2.7 client.example[192.0.2.7] $sender"}},
      {{"rbl_reply_maps", "inline:{{rbl.example=554 5.1.1 $$rbl_what $$client $$$$sender}}"}});
  expect_replies({{"reject_rbl_client rbl.example", kNameless, "450 4.7.1 Service unavailable"}},
                 {{"default_rbl_reply", "no code $rbl_what"}});
}

TEST(AccessEngine, AccessTables) {
  expect_replies({
      {"check_client_access inline:{client.example=REJECT}", kGood,
       "554 5.7.1 <client.example[192.0.2.7]>: Client host rejected: Access denied"},
      {"check_client_access inline:{example=REJECT}", kGood,
       "554 5.7.1 <client.example[192.0.2.7]>: Client host rejected: Access denied"},
      {"check_client_access inline:{192.0=REJECT}", kGood,
       "554 5.7.1 <client.example[192.0.2.7]>: Client host rejected: Access denied"},
      {"check_client_access inline:{client.example=DUNNO,192.0.2.7=REJECT}, permit", kGood, ""},
      {"check_client_access inline:{unknown=REJECT}", kNameless,
       "554 5.7.1 <unknown[192.0.2.8]>: Client host rejected: Access denied"},
      {"check_helo_access inline:{{[192.0.2.1]=REJECT c}}", helo("[192.0.2.1]"),
       "554 5.7.1 <[192.0.2.1]>: Helo command rejected: c"},
      {"check_sender_access inline:{{<>=REJECT null}}", from(""),
       "554 5.7.1 <>: Sender address rejected: null"},
      {"check_sender_access inline:{{a@mx.test.example=REJECT res}}", from("a"),
       "554 5.7.1 <a>: Sender address rejected: res"},
      {"check_recipient_access inline:{{ann@local.example=550 5.1.8 x}}", kGood,
       "550 5.1.2 <ann@local.example>: Recipient address rejected: x"},
      {"check_reverse_client_hostname_access static:{REJECT h}", kNameless,
       "554 5.7.1 <unknown>: Unverified Client host rejected: h"},
      {"check_reverse_client_hostname_access static:OK", kGood, "451 4.3.5 Server configuration error"},
      {"check_client_access fail:x", kGood,
       "451 4.3.5 <client.example[192.0.2.7]>: Client host rejected: Server configuration error"},
      {"check_client_access hash:/no/such/file", kGood,
       "451 4.3.5 <client.example[192.0.2.7]>: Client host rejected: Server configuration error"},
      {"inline:{{ann@local.example=REJECT rc}}", kGood,
       "554 5.7.1 <ann@local.example>: Recipient address rejected: rc"},
      {"check_sasl_access inline:{joe=REJECT}", login("joe", "a@b.example"),
       "554 5.7.1 <joe>: SASL login name rejected: Access denied"},
      {"check_sasl_access inline:{joe=REJECT}, permit", kGood, ""},
      {"check_ccert_access inline:{{AA:BB=OK}}", with([](SmtpdState& s) {
         s.tls.has_certificate = true;
         s.tls.public_key_fingerprint = "AA:BB";
       }),
       ""},
      {"check_ccert_access { inline:{{AA:BB=OK}}, { search_order = cert_fingerprint } }",
       with([](SmtpdState& s) {
         s.tls.has_certificate = true;
         s.tls.public_key_fingerprint = "AA:BB";
       }),
       kDeferred},
      {"check_sender_access static:{DEFER_IF_PERMIT d1}, check_sender_access static:{DEFER_IF_PERMIT d2}, "
       "permit",
       kGood, "450 4.7.1 <a@example.com>: Sender address rejected: d1"},
      {"check_sender_access static:{DEFER_IF_REJECT dir}, check_sender_access static:{DEFER_IF_PERMIT dip}, "
       "reject",
       kGood, "450 4.7.1 <a@example.com>: Sender address rejected: dip"},
      {"check_sender_access static:{DEFER_IF_REJECT dir}, check_sender_access static:{421 x}", kGood,
       "421 4.7.1 <a@example.com>: Sender address rejected: x"},
      {"check_recipient_access static:{reject_unknown_sender_domain, permit}", from("a@nxdomain.example"),
       "450 4.1.8 <a@nxdomain.example>: Sender address rejected: Domain not found"},
      {"check_recipient_access static:{check_client_access static:OK}", kGood,
       "451 4.3.5 Server configuration error"},
      {"check_policy_service { inet:127.0.0.1:1, policy_context=REJECT }", kGood,
       "554 5.7.1 <ann@local.example>: Recipient address rejected: Access denied"},
  });
}

TEST(AccessEngine, TablesOfHostsBehindNames) {
  expect_replies({
      {"check_sender_mx_access inline:{{192.0.2.1=REJECT a}}", kGood,
       "554 5.7.1 <a@example.com>: Sender address rejected: a"},
      {"check_sender_mx_access inline:{{192.0.2.1=REJECT a},{mail.example.com=DUNNO}}, permit", kGood, ""},
      // No filter sees the addresses of hosts.
      {"reject_unknown_sender_domain, permit", from("a@filtered.example"), ""},
      {"check_sender_a_access inline:{{192.0.2.99=REJECT a}}", from("a@filtered.example"),
       "554 5.7.1 <a@filtered.example>: Sender address rejected: a"},
      {"check_sender_mx_access inline:{{192.0.2.99=REJECT a}}", from("a@mxfiltered.example"),
       "554 5.7.1 <a@mxfiltered.example>: Sender address rejected: a"},
      {"check_sender_mx_access inline:{{192.0.2=OK}}", kGood, "451 4.3.5 Server configuration error"},
      {"check_sender_mx_access inline:{{192.0.2.9=REJECT a}}", from("a@aonly.example"),
       "554 5.7.1 <a@aonly.example>: Sender address rejected: a"},
      {"check_sender_mx_access static:REJECT, permit", from("a@tempfail.example"), ""},
      {"check_sender_mx_access static:REJECT, permit", from("a@nullmx.example"), ""},
      {"check_sender_ns_access inline:{{ns1.example.com=REJECT a}}", from("a@x.y.example.com"),
       "554 5.7.1 <a@x.y.example.com>: Sender address rejected: a"},
      {"check_sender_ns_access inline:{{192.0.2.53=REJECT a}}", kGood,
       "554 5.7.1 <a@example.com>: Sender address rejected: a"},
      {"check_recipient_ns_access static:REJECT, permit", to("a@[192.0.2.1]"), ""},
      {"check_sender_a_access inline:{{192.0.2.2=REJECT a}}", kGood,
       "554 5.7.1 <a@example.com>: Sender address rejected: a"},
      {"check_sender_a_access static:REJECT, permit", from("a@nxdomain.example"), ""},
      {"check_helo_mx_access static:{REJECT h}", helo("[192.0.2.1]"),
       "554 5.7.1 <[192.0.2.1]>: Helo command rejected: h"},
      {"check_client_mx_access static:REJECT, permit", kNameless, ""},
  });
}

TEST(AccessEngine, ListedAndVerifiedAddresses) {
  expect_replies({
      {"reject_unlisted_recipient, permit", kGood, ""},
      {"reject_unlisted_recipient", to("zz@local.example"),
       "550 5.1.1 <zz@local.example>: Recipient address rejected: User unknown in local recipient table"},
      {"reject_unlisted_recipient", to("zz@va.example"),
       "550 5.1.1 <zz@va.example>: Recipient address rejected: User unknown in virtual alias table"},
      {"reject_unlisted_recipient", to("q@relay.example"),
       "550 5.1.1 <q@relay.example>: Recipient address rejected: User unknown in relay recipient table"},
      {"reject_unlisted_recipient", to("q@vm.example"),
       "550 5.1.1 <q@vm.example>: Recipient address rejected: User unknown in virtual mailbox table"},
      {"reject_unlisted_recipient", to("old@local.example"),
       "550 5.1.6 <old@local.example>: Recipient address rejected: User has moved to new@x.example"},
      {"reject_unlisted_recipient, permit", to("canon@local.example"), ""},
      {"reject_unlisted_recipient, permit", to("postmaster@local.example"), ""},
      {"reject_unlisted_recipient", to("postmaster@va.example"),
       "550 5.1.1 <postmaster@va.example>: Recipient address rejected: User unknown in virtual alias table"},
      {"reject_unlisted_sender, permit", from("double-bounce@local.example"), ""},
      {"reject_unlisted_recipient, permit", to("bob@va.example"), ""},
      {"reject_unlisted_recipient, permit", to("x@y.example"), ""},
      {"reject_unlisted_sender", from("zz@local.example"),
       "550 5.1.0 <zz@local.example>: Sender address rejected: User unknown in local recipient table"},
      {"reject_unlisted_sender", from("zz@va.example"),
       "550 5.1.7 <zz@va.example>: Sender address rejected: User unknown in virtual alias table"},
      {"reject_unlisted_sender", from("old@local.example"),
       "550 5.1.7 <old@local.example>: Sender address rejected: User has moved to new@x.example"},
      {"reject_unverified_sender, permit", kGood, ""},
      {"reject_unverified_sender, permit", from("slow@x.example"),
       "450 4.1.7 <slow@x.example>: Sender address rejected: unverified address: come back"},
      {"reject_unverified_recipient, permit", to("dead@x.example"),
       "450 4.1.1 <dead@x.example>: Recipient address rejected: unverified address: no such user"},
  });
  expect_replies({{"reject_unverified_sender", from("dead@x.example"),
                   "550 5.1.7 <dead@x.example>: Sender address rejected: undeliverable address: foo"}},
                 {{"unverified_sender_reject_code", "550"}, {"unverified_sender_reject_reason", "foo"}});
  expect_replies({{"reject_unverified_sender, permit", from("dead@x.example"), ""}},
                 {{"unverified_sender_reject_code", "250"}});
}

TEST(AccessEngine, SenderLogins) {
  const char* const not_owned =
      "553 5.7.1 <own@local.example>: Sender address rejected: not owned by user sue";
  const char* const not_logged_in = "553 5.7.1 <own@local.example>: Sender address rejected: not logged in";
  expect_replies({
      {"reject_sender_login_mismatch, permit", from("own@local.example"), not_logged_in},
      {"reject_sender_login_mismatch, permit", login("joe", "own@local.example"), ""},
      {"reject_sender_login_mismatch, permit", login("sue", "own@local.example"), not_owned},
      {"reject_sender_login_mismatch, permit", login("sue", "x@team.example"), ""},
      {"reject_sender_login_mismatch, permit", login("sue", ""), ""},
      {"reject_authenticated_sender_login_mismatch, permit", from("own@local.example"), ""},
      {"reject_authenticated_sender_login_mismatch, permit", login("sue", "x@nobody.example"),
       "553 5.7.1 <x@nobody.example>: Sender address rejected: not owned by user sue"},
      {"reject_unauthenticated_sender_login_mismatch, permit", from("own@local.example"), not_logged_in},
      {"reject_unauthenticated_sender_login_mismatch, permit", login("sue", "own@local.example"), ""},
      {"reject_known_sender_login_mismatch, permit", login("sue", "x@nobody.example"), ""},
      {"reject_known_sender_login_mismatch, permit", login("sue", "own@local.example"), not_owned},
  });
}

TEST(AccessEngine, ListsOfEarlierCommandsWaitForTheRecipient) {
  const std::pair<const char*, const char*> cases[] = {
      {"smtpd_client_restrictions",
       "554 5.7.1 <client.example[192.0.2.7]>: Client host rejected: Access denied"},
      {"smtpd_helo_restrictions", "554 5.7.1 <client.example>: Helo command rejected: Access denied"},
      {"smtpd_sender_restrictions", "554 5.7.1 <a@example.com>: Sender address rejected: Access denied"},
  };
  for (const auto& [list, reply] : cases) {
    Site site(Values{{list, "reject"}, {"smtpd_recipient_restrictions", "reject_unauth_destination"}});
    for (const SmtpStage stage : {SmtpStage::kConnect, SmtpStage::kEhlo, SmtpStage::kMail}) {
      SmtpdState state = recipient_state();
      state.stage = stage;
      EXPECT_EQ(site.check(state).reply, "");
    }
    EXPECT_EQ(site.check(recipient_state()).reply, reply);
  }
}

TEST(AccessEngine, ListsApplyAtOnceWithoutDelay) {
  Site site(Values{{"smtpd_delay_reject", "no"},
                   {"smtpd_helo_restrictions", "check_helo_access static:{HOLD h}, defer_if_permit"},
                   {"smtpd_sender_restrictions", "check_sender_access inline:{{b@example.com=REJECT}}"},
                   {"smtpd_recipient_restrictions", "reject_unauth_destination"}});
  SmtpdState state = recipient_state();
  state.stage = SmtpStage::kHelo;
  const Verdict at_helo = site.check(state);
  EXPECT_EQ(at_helo.reply, "");
  EXPECT_FALSE(at_helo.actions.hold);
  EXPECT_EQ(at_helo.log,
            std::vector<std::string>{
                "warning: access table static:{HOLD h}: with smtpd_delay_reject=no, action HOLD is always "
                "skipped in Client host or Helo command restrictions"});
  state.stage = SmtpStage::kMail;
  state.sender = "b@example.com";
  EXPECT_EQ(site.check(state).reply, "554 5.7.1 <b@example.com>: Sender address rejected: Access denied");
  // What HELO deferred counts when a recipient would be accepted.
  EXPECT_EQ(site.check(recipient_state()).reply,
            "450 4.7.0 <client.example>: Helo command rejected: defer_if_permit requested");
  EXPECT_EQ(site.check(to("x@y.example")).reply, "554 5.7.1 <x@y.example>: Relay access denied");
}

TEST(AccessEngine, OtherCommands) {
  struct StageCase {
    SmtpStage stage;
    const char* list;
    const char* reply;
  };
  const StageCase cases[] = {
      {SmtpStage::kData, "smtpd_data_restrictions", "554 5.7.1 <DATA>: Data command rejected: Access denied"},
      {SmtpStage::kEndOfData, "smtpd_end_of_data_restrictions",
       "554 5.7.1 <END-OF-MESSAGE>: End-of-data rejected: Access denied"},
      {SmtpStage::kEtrn, "smtpd_etrn_restrictions",
       "554 5.7.1 <example.com>: Etrn command rejected: Access denied"},
      {SmtpStage::kVrfy, "smtpd_relay_restrictions",
       "554 5.7.1 <ann@local.example>: Recipient address rejected: Access denied"},
  };
  for (const StageCase& each : cases) {
    Site site(Values{{each.list, "reject"}, {"smtpd_recipient_restrictions", "reject_unauth_destination"}});
    SmtpdState state = recipient_state();
    state.stage = each.stage;
    state.etrn_domain = "example.com";
    EXPECT_EQ(site.check(state).reply, each.reply);
  }
}

TEST(AccessEngine, OrderOfRelayAndRecipientLists) {
  for (const auto& [first, reply] :
       {std::pair("yes", "554 5.7.1 <x@y.example>: Relay access denied"),
        std::pair("no", "550 5.7.1 <x@y.example>: Recipient address rejected: b")}) {
    Site site(Values{{"smtpd_relay_before_recipient_restrictions", first},
                     {"smtpd_relay_restrictions", "reject_unauth_destination"},
                     {"smtpd_recipient_restrictions", "check_recipient_access static:{550 b}"}});
    EXPECT_EQ(site.check(to("x@y.example")).reply, reply);
  }
}

TEST(AccessEngine, ActionsAddUpAndAreLogged) {
  Site site(Values{
      {"smtpd_sender_restrictions",
       "check_client_access static:{HOLD h}, check_helo_access static:{FILTER smtp:x}, check_sender_access "
       "static:{REDIRECT a@b.example}, check_recipient_access static:{BCC c@d.example}, check_client_access "
       "static:{PREPEND X-A: 1}, check_client_access static:{PREPEND X-B: 2}, check_helo_access static:{WARN "
       "w}"},
      {"smtpd_recipient_restrictions", "reject_unauth_destination"}});
  const Verdict verdict = site.check(recipient_state());
  EXPECT_EQ(verdict.kind, VerdictKind::kPermit);
  EXPECT_TRUE(verdict.actions.hold);
  EXPECT_EQ(verdict.actions.filter, "smtp:x");
  EXPECT_EQ(verdict.actions.redirect, "a@b.example");
  EXPECT_EQ(verdict.actions.bcc, std::vector<std::string>{"c@d.example"});
  EXPECT_EQ(verdict.actions.prepend, (std::vector<std::string>{"X-A: 1", "X-B: 2"}));
  const std::string end = "; from=<a@example.com> to=<ann@local.example> proto=ESMTP helo=<client.example>";
  const std::string start = " RCPT from client.example[192.0.2.7]: ";
  EXPECT_EQ(
      verdict.log,
      (std::vector<std::string>{
          "NOQUEUE: hold:" + start + "<client.example[192.0.2.7]>: Client host h" + end,
          "NOQUEUE: filter:" + start + "<client.example>: Helo command triggers FILTER smtp:x" + end,
          "NOQUEUE: redirect:" + start + "<a@example.com>: Sender address triggers REDIRECT a@b.example" +
              end,
          "NOQUEUE: bcc:" + start + "<ann@local.example>: Recipient address triggers BCC c@d.example" + end,
          "NOQUEUE: warn:" + start + "w" + end}));
}

TEST(AccessEngine, DiscardEndsItAll) {
  Site site(Values{{"smtpd_client_restrictions", "check_client_access static:DISCARD"},
                   {"smtpd_recipient_restrictions", "reject"},
                   {"smtpd_data_restrictions", "reject"},
                   {"smtpd_end_of_data_restrictions", "reject"}});
  const Verdict verdict = site.check(to("x@y.example"));
  EXPECT_EQ(verdict.kind, VerdictKind::kDiscard);
  EXPECT_TRUE(verdict.actions.discard);
  EXPECT_EQ(verdict.reply, "");
  SmtpdState next = kGood;
  next.is_discarded = true;
  for (const SmtpStage stage : {SmtpStage::kRcpt, SmtpStage::kData, SmtpStage::kEndOfData}) {
    next.stage = stage;
    EXPECT_EQ(site.check(next).kind, VerdictKind::kDiscard) << static_cast<int>(stage);
  }
}

TEST(AccessEngine, DiscardIsDeferredAsPermitIs) {
  Site site(Values{{"smtpd_client_restrictions", "defer_if_permit, check_client_access static:DISCARD"},
                   {"smtpd_recipient_restrictions", "reject"}});
  EXPECT_EQ(site.check(kGood).reply,
            "450 4.7.0 <client.example[192.0.2.7]>: Client host rejected: defer_if_permit requested");
}

TEST(AccessEngine, ARejectInALaterListIsNotDeferred) {
  Site site(Values{
      {"smtpd_client_restrictions", "check_sender_access static:{DEFER_IF_REJECT dir}, defer_if_permit"},
      {"smtpd_recipient_restrictions", "reject_unauth_destination"}});
  EXPECT_EQ(site.check(to("x@y.example")).reply, "554 5.7.1 <x@y.example>: Relay access denied");
  EXPECT_EQ(site.check(kGood).reply,
            "450 4.7.0 <client.example[192.0.2.7]>: Client host rejected: defer_if_permit requested");
}

TEST(AccessEngine, ADeferIfRejectIsGoodForAllListsOfTheRecipient) {
  Site site(Values{{"smtpd_recipient_restrictions", "check_client_access static:{DEFER_IF_REJECT dir}"},
                   {"smtpd_relay_restrictions", "reject_unauth_destination"},
                   {"smtpd_relay_before_recipient_restrictions", "no"},
                   {"smtpd_reject_unlisted_recipient", "yes"}});
  const std::string deferred = "450 4.7.1 <client.example[192.0.2.7]>: Client host rejected: dir";
  EXPECT_EQ(site.check(to("x@y.example")).reply, deferred);
  EXPECT_EQ(site.check(to("zz@local.example")).reply, deferred);
  EXPECT_EQ(site.check(kGood).reply, "");
}

TEST(AccessEngine, EtrnHasNoMessageToActOn) {
  Site site(Values{
      {"smtpd_etrn_restrictions", "check_etrn_access static:DISCARD, check_client_access static:{HOLD x}"},
      {"smtpd_recipient_restrictions", "reject_unauth_destination"}});
  SmtpdState state = kGood;
  state.stage = SmtpStage::kEtrn;
  state.etrn_domain = "example.com";
  const Verdict verdict = site.check(state);
  EXPECT_EQ(verdict.kind, VerdictKind::kPermit);
  EXPECT_FALSE(verdict.actions.discard || verdict.actions.hold);
  EXPECT_EQ(
      verdict.log,
      (std::vector<std::string>{
          "warning: access table static:DISCARD: action DISCARD is unavailable in smtpd_etrn_restrictions",
          "warning: access table static:{HOLD x}: action HOLD is unavailable in smtpd_etrn_restrictions"}));
}

TEST(AccessEngine, WarnsInTheWordsOfPostfix) {
  struct Case {
    const char* restriction;
    SmtpdState state;
    const char* warning;
  };
  const std::vector<Case> cases = {
      {"check_sender_mx_access inline:{{x=y}}", from("a@nowhere.example"),
       "Unable to look up MX host nowhere.example for Sender address a@nowhere.example: "
       "Name or service not known"},
      {"check_sender_mx_access inline:{{x=y}}", from("a%b@nowhere.example"),
       "Unable to look up MX host nowhere.example for Sender address a%b@nowhere.example: "
       "Name or service not known"},
      {"check_sender_mx_access inline:{{x=y}}", from("ann"),
       "Unable to look up MX host ann for Sender address ann: Name or service not known"},
      {"check_sender_mx_access inline:{{x=y}}", from("a@txtonly.example"),
       "Unable to look up MX host txtonly.example for Sender address a@txtonly.example: "
       "No address associated with hostname"},
      {"check_sender_mx_access inline:{{x=y}}", from("a@mxlater.example"),
       "Unable to look up MX host tempfail.example for Sender address a@mxlater.example: "
       "Temporary failure in name resolution"},
      {"check_sender_mx_access inline:{{x=y}}", from("a@tempfail.example"),
       "Unable to look up MX host for tempfail.example: Host not found, try again"},
      {"check_sender_ns_access inline:{{x=y}}", from("a@nowhere.invalid"),
       "Unable to look up NS host for a@nowhere.invalid: Host not found"},
      {"check_client_ns_access inline:{{x=y}}", kGood,
       "Unable to look up NS host for client.example: Host found but no data record of requested type"},
      {"reject_unknown_sender_domain", from("a@filtered.example"),
       "filtered.example: MX or address lookup error: DNS reply filter drops all results"},
      {"reject_unknown_helo_hostname", helo("filtered.example"),
       "filtered.example: address or MX lookup error: DNS reply filter drops all results"},
      {"check_ccert_access static:OK", kGood,
       "check_ccert_access is requested, but \"smtpd_tls_ask_ccert = no\""},
      {"check_sender_access inline:{{y.example=BCC x}}", from("a@y.example"),
       "access table inline:{{y.example=BCC x}} entry \"a@y.example\" requires user@domain target"},
      {"check_sender_access inline:{{<>=BCC x}}", from(""),
       "access table inline:{{<>=BCC x}} entry \"<>\" requires user@domain target"},
      {"check_client_access inline:{{192.0=BCC x}}", kGood,
       "access table inline:{{192.0=BCC x}} entry \"192.0.2.7\" requires user@domain target"},
  };
  for (const Case& c : cases) {
    Site site(Values{{"smtpd_recipient_restrictions", c.restriction}});
    EXPECT_EQ(site.check(c.state).log, (std::vector<std::string>{std::string("warning: ") + c.warning}))
        << c.restriction << " " << c.state.sender.value_or("");
  }
}

TEST(AccessEngine, AListEndsWhenMailIsDeferredAnyway) {
  expect_replies(
      {{"defer_if_permit, check_sender_access static:{DEFER_IF_REJECT dir}, check_sender_access static:{421 "
        "x}",
        kGood, "450 4.7.0 <ann@local.example>: Recipient address rejected: defer_if_permit requested"}});
}

TEST(AccessEngine, RestrictionsFromATableSpeakOfItsSubject) {
  expect_replies({{"check_reverse_client_hostname_access static:reject", kGood,
                   "554 5.7.1 <client.example>: Unverified Client host rejected: Access denied"}});
}

TEST(AccessEngine, SoftBounceNeverRefusesForGood) {
  Site site(Values{{"smtpd_recipient_restrictions", "check_client_access static:{521 bye}, reject"},
                   {"soft_bounce", "yes"}});
  const Verdict verdict = site.check(kGood);
  EXPECT_EQ(verdict.reply, "421 4.7.1 <client.example[192.0.2.7]>: Client host rejected: bye");
  EXPECT_TRUE(verdict.closes_session);
}

/// What a trace is told, a line each; and the restrictions as they end.
class TraceRecord final : public AccessTrace {
 public:
  void begin_list(const TracedList& list) override {
    lines.push_back(libconf::concat(list.parameter, list.is_empty ? " (empty)" : ""));
  }
  void begin_restriction(const TraceStep& step) override {
    lines.push_back(libconf::concat("begin ", step.restriction));
  }
  void end_restriction(const TraceStep& step) override {
    lines.push_back(libconf::concat("end ", step_result_name(step.result)));
    steps.push_back(step);
  }
  void deferred(std::string_view reply) override { lines.push_back(libconf::concat("deferred ", reply)); }

  std::vector<std::string> lines;
  std::vector<TraceStep> steps;
};

TEST(AccessEngine, TellsWhy) {
  Site site(
      Values{{"smtpd_restriction_classes", "strict"},
             {"strict", "reject_unknown_sender_domain, check_client_access inline:{{example=REJECT no}}"},
             {"smtpd_relay_restrictions", ""},
             {"smtpd_recipient_restrictions", "permit_mynetworks, strict, reject_unauth_destination"}});
  TraceRecord trace;
  site.check(kGood, &trace);
  EXPECT_EQ(trace.lines,
            (std::vector<std::string>{"smtpd_client_restrictions (empty)", "smtpd_helo_restrictions (empty)",
                                      "smtpd_sender_restrictions (empty)", "smtpd_relay_restrictions (empty)",
                                      "smtpd_recipient_restrictions", "begin permit_mynetworks", "end dunno",
                                      "begin strict", "begin reject_unknown_sender_domain", "end dunno",
                                      "begin check_client_access inline:{{example=REJECT no}}", "end reject",
                                      "end reject"}));
  ASSERT_EQ(trace.steps.size(), 4u);
  EXPECT_EQ(trace.steps[0].list, "smtpd_recipient_restrictions");
  EXPECT_EQ(trace.steps[2].depth, 1);
  EXPECT_EQ(trace.steps[2].key, "example");
  EXPECT_EQ(trace.steps[2].value, "REJECT no");
  EXPECT_EQ(trace.steps[2].reply, "554 5.7.1 <client.example[192.0.2.7]>: Client host rejected: no");
  EXPECT_EQ(trace.steps[3].restriction, "strict");
  EXPECT_EQ(trace.steps[3].depth, 0);
}

TEST(AccessEngine, TellsWhatIsCheckedUnaskedAndWhatWasPutOff) {
  Site site(Values{
      {"smtpd_relay_restrictions", "reject_unauth_destination"},
      {"smtpd_recipient_restrictions", "warn_if_reject check_client_access static:REJECT, defer_if_permit"},
      {"smtpd_reject_unlisted_sender", "yes"},
      {"smtpd_reject_unlisted_recipient", "yes"}});
  TraceRecord trace;
  const Verdict verdict = site.check(kGood, &trace);
  const std::string reply =
      "450 4.7.0 <ann@local.example>: Recipient address rejected: defer_if_permit requested";
  EXPECT_EQ(verdict.reply, reply);
  EXPECT_EQ(trace.lines, (std::vector<std::string>{
                             "smtpd_client_restrictions (empty)", "smtpd_helo_restrictions (empty)",
                             "smtpd_sender_restrictions (empty)", "smtpd_reject_unlisted_sender",
                             "begin reject_unlisted_sender", "end dunno", "smtpd_relay_restrictions",
                             "begin reject_unauth_destination", "end dunno", "smtpd_recipient_restrictions",
                             "begin check_client_access static:REJECT", "end reject_warning",
                             "begin defer_if_permit", "end defer_if_permit", "deferred " + reply}));
  ASSERT_EQ(trace.steps.size(), 4u);
  EXPECT_TRUE(trace.steps[2].warns_only);
  EXPECT_EQ(trace.steps[2].reply,
            "554 5.7.1 <client.example[192.0.2.7]>: Client host rejected: Access denied");
  // The reply that comes in the end is no restriction's.
  EXPECT_EQ(trace.steps[0].reply, "");
}

TEST(AccessEngine, SleepsAsLongAsItIsTold) {
  Site site(Values{{"smtpd_recipient_restrictions", "sleep 7, reject_unauth_destination"}});
  EXPECT_EQ(site.check(kGood).reply, "");
  EXPECT_EQ(site.slept, std::chrono::seconds(7));
}

TEST(AccessEngine, RefusesToServeWithWhatKeepsPostfixFromServing) {
  struct ErrorCase {
    Values settings;
    const char* error;
  };
  const ErrorCase cases[] = {
      {{{"smtpd_relay_restrictions", ""}, {"smtpd_recipient_restrictions", "permit"}},
       "in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at least one working "
       "instance of: "
       "reject_unauth_destination, defer_unauth_destination, reject, defer, or defer_if_permit"},
      {{{"smtpd_relay_restrictions", ""}, {"smtpd_recipient_restrictions", "warn_if_reject reject"}},
       "in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at least one working "
       "instance of: "
       "reject_unauth_destination, defer_unauth_destination, reject, defer, or defer_if_permit"},
      {{{"smtpd_restriction_classes", "a"}}, "restriction class `a' needs a definition"},
      {{{"smtpd_restriction_classes", "a b"}, {"a", "b"}, {"b", "a"}},
       "restriction class `a' contains itself"},
      {{{"unknown_address_tempfail_action", "bogus"}},
       "bad configuration: unknown_address_tempfail_action = bogus"},
      {{{"smtpd_recipient_restrictions", "reject_rbl_client x.example=127.0.0"}},
       "RBL reply error: need \".\" at \"127.0.0><\""},
      {{{"smtpd_recipient_restrictions", "reject_rbl_client x.example=127.0.0.300"}},
       "RBL reply error: need decimal number 0..255 or \"[\" at \"127.0.0.>300<\""},
      {{{"smtpd_recipient_restrictions", "check_policy_service foo:bar"}},
       "invalid transport name: foo in service: foo:bar"},
      {{{"smtpd_recipient_restrictions", "check_policy_service reject"}},
       "need service transport:endpoint instead of \"reject\""},
      {{{"smtpd_recipient_restrictions", "check_policy_service {inet:127.0.0.1:1, nosuch=foo}"}},
       "unknown option: \"nosuch = foo\""},
      {{{"smtpd_recipient_restrictions", "check_policy_service {}"}}, "empty policy service: \"{}\""},
  };
  for (const ErrorCase& each : cases) EXPECT_EQ(Site(each.settings).error, each.error);
}

TEST(AccessEngine, WarnsOfWhatIsNeverReached) {
  Site site(Values{{"smtpd_recipient_restrictions", "reject, permit"}});
  ASSERT_EQ(site.warnings.items().size(), 1u);
  EXPECT_EQ(site.warnings.items()[0].message, "restriction `permit' after `reject' is ignored");
}

}  // namespace
}  // namespace mta
