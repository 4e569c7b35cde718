#include "tools/mta/delivery/client_tls_policy.h"

#include <gtest/gtest.h>

#include "libconf/host.h"

namespace mta {
namespace {

using Options = std::vector<std::pair<std::string_view, std::string_view>>;

class Site {
 public:
  explicit Site(const Options& options) : settings_(nullptr, libconf::system_host()) {
    settings_.override_value("compatibility_level", "3.6");
    for (const auto& [name, value] : options) settings_.override_value(name, value);
    policies_ = ClientTlsPolicies::open("smtp_", {.settings = settings_, .warnings = warnings_});
  }
  bool is_open() const { return policies_.has_value(); }
  Result<ClientTlsPolicy> find(std::string_view nexthop, std::string_view domain = "example.com",
                               std::string_view host = "mx.example.com") {
    return (*policies_)->find(nexthop, domain, host);
  }
  const ClientTlsPolicies& policies() const { return **policies_; }

 private:
  libconf::DiagnosticList warnings_;
  libconf::Settings settings_;
  Result<std::unique_ptr<ClientTlsPolicies>> policies_{Error{}};
};

TEST(ClientTlsPolicy, LevelsOfMainCf) {
  const struct {
    Options options;
    ClientTlsLevel level;
  } cases[] = {
      {{}, ClientTlsLevel::kNone},
      {{{"smtp_tls_security_level", "may"}}, ClientTlsLevel::kMay},
      {{{"smtp_tls_security_level", "Encrypt"}}, ClientTlsLevel::kEncrypt},
      {{{"smtp_use_tls", "yes"}}, ClientTlsLevel::kMay},
      {{{"smtp_enforce_tls", "yes"}}, ClientTlsLevel::kVerify},
      {{{"smtp_enforce_tls", "yes"}, {"smtp_tls_enforce_peername", "no"}}, ClientTlsLevel::kEncrypt},
      {{{"smtp_enforce_tls", "yes"}, {"smtp_tls_security_level", "none"}}, ClientTlsLevel::kNone},
      {{{"smtp_tls_security_level", "dane"}}, ClientTlsLevel::kMay},
  };
  for (const auto& each : cases) {
    Site site(each.options);
    ASSERT_TRUE(site.is_open());
    const auto policy = site.find("example.com");
    ASSERT_TRUE(policy) << policy.error().message;
    EXPECT_EQ(policy->level, each.level);
  }
  EXPECT_FALSE(Site(Options{{"smtp_tls_security_level", "most"}}).is_open());
}

TEST(ClientTlsPolicy, TlsIsPossibleWhereALevelOrATableIs) {
  EXPECT_FALSE(Site({}).policies().may_use_tls());
  EXPECT_TRUE(Site(Options{{"smtp_tls_security_level", "may"}}).policies().may_use_tls());
  EXPECT_TRUE(Site(Options{{"smtp_tls_policy_maps", "static:none"}}).policies().may_use_tls());
}

TEST(ClientTlsPolicy, KeysOfTheTable) {
  Site site(Options{{"smtp_tls_policy_maps", "inline:{{[mx.example.com]:25=encrypt}, {.example.org=may}}"}});
  const struct {
    std::string_view nexthop;
    ClientTlsLevel level;
  } cases[] = {
      {"[mx.example.com]:25", ClientTlsLevel::kEncrypt}, {"[MX.example.com]:25", ClientTlsLevel::kEncrypt},
      {"[mx.example.com]", ClientTlsLevel::kNone},       {"a.example.org", ClientTlsLevel::kMay},
      {"a.b.example.org", ClientTlsLevel::kMay},         {"example.org", ClientTlsLevel::kNone},
      {"a.example.org:25", ClientTlsLevel::kNone}};
  for (const auto& each : cases) EXPECT_EQ(site.find(each.nexthop)->level, each.level) << each.nexthop;
}

TEST(ClientTlsPolicy, MandatoryLevelsHaveParametersOfTheirOwn) {
  const Options options{
      {"smtp_tls_protocols", "A"},
      {"smtp_tls_mandatory_protocols", "B"},
      {"smtp_tls_ciphers", "C"},
      {"smtp_tls_mandatory_ciphers", "D"},
      {"smtp_tls_exclude_ciphers", "E"},
      {"smtp_tls_mandatory_exclude_ciphers", "F"},
      {"smtp_tls_policy_maps", "inline:{{a=may}, {b=encrypt}, {c=verify exclude=G protocols=H}}"}};
  Site site(options);
  const auto may = site.find("a");
  EXPECT_EQ(may->protocols + may->cipher_grade + may->excluded_ciphers, "ACE");
  const auto encrypt = site.find("b");
  EXPECT_EQ(encrypt->protocols + encrypt->cipher_grade + encrypt->excluded_ciphers, "BDE F");
  const auto verify = site.find("c");
  EXPECT_EQ(verify->protocols + verify->cipher_grade + verify->excluded_ciphers, "HDE G aNULL");
}

TEST(ClientTlsPolicy, NamesToMatch) {
  const struct {
    std::string entry;
    std::vector<std::string> matches;
  } cases[] = {
      {"verify", {"mx.example.com"}},
      {"secure", {"example.com", ".example.com"}},
      {"secure match=hostname:.example.net match=a", {"mx.example.com", ".example.net", "a"}},
      {"fingerprint match=AA:bb|0cdd", {"aabb", "0cdd"}},
  };
  for (const auto& each : cases) {
    Site site(Options{{"smtp_tls_policy_maps", "inline:{{example.com=" + each.entry + "}}"}});
    const auto policy = site.find("example.com");
    ASSERT_TRUE(policy) << policy.error().message;
    EXPECT_EQ(policy->matches, each.matches) << each.entry;
  }
}

TEST(ClientTlsPolicy, WhatCannotBeMeantKeepsTheMail) {
  for (const std::string entry :
       {"most", "encrypt color=red", "encrypt match=x", "may match=x", "encrypt ciphers",
        "encrypt ciphers=", "encrypt ciphers=high ciphers=low", "may servername=a..b", "fingerprint",
        "fingerprint match=a:b", "fingerprint match=abc", "dane-only"}) {
    Site site(Options{{"smtp_tls_policy_maps", "inline:{{example.com=" + entry + "}}"}});
    const auto policy = site.find("example.com");
    EXPECT_FALSE(policy) << entry;
    if (policy) continue;
    EXPECT_EQ(policy.error().message, "client TLS configuration problem") << entry;
  }
  Site failing(Options{{"smtp_tls_policy_maps", "fail:x"}, {"smtp_tls_security_level", "none"}});
  EXPECT_FALSE(failing.find("example.com"));
}

TEST(ClientTlsPolicy, ServerNames) {
  Site site(Options{
      {"smtp_tls_policy_maps",
       "inline:{{a=may servername=hostname}, {b=may servername=nexthop}, {c=may servername=x.example}}"}});
  EXPECT_EQ(site.find("a")->server_name, "mx.example.com");
  EXPECT_EQ(site.find("b")->server_name, "example.com");
  EXPECT_EQ(site.find("c")->server_name, "x.example");
}

// What the smtp of Postfix 3.7 does with the same tables.
TEST(ClientTlsPolicy, PerSite) {
  constexpr auto kNone = ClientTlsLevel::kNone;
  constexpr auto kMay = ClientTlsLevel::kMay;
  constexpr auto kEncrypt = ClientTlsLevel::kEncrypt;
  constexpr auto kVerify = ClientTlsLevel::kVerify;
  const struct {
    std::string_view table;
    std::string_view level;
    ClientTlsLevel expected;
  } cases[] = {
      {"inline:{x=MUST}", "", kNone},
      {"inline:{x=MUST}", "secure", ClientTlsLevel::kSecure},
      {"inline:{example.com=must}", "", kVerify},
      {"inline:{mx.example.com=MUST}", "", kVerify},
      {"inline:{.com=MUST, com=MUST}", "", kNone},
      {"inline:{example.com=NONE}", "secure", kNone},
      {"inline:{example.com=MAY}", "", kMay},
      {"inline:{example.com=MAY}", "secure", ClientTlsLevel::kSecure},
      {"inline:{example.com=MUST_NOPEERMATCH}", "secure", kEncrypt},
      {"inline:{example.com=NONE, mx.example.com=MAY}", "", kNone},
      {"inline:{example.com=MAY, mx.example.com=NONE}", "", kNone},
      {"inline:{example.com=MUST, mx.example.com=NONE}", "", kVerify},
      {"inline:{example.com=NONE, mx.example.com=MUST}", "", kVerify},
      {"inline:{example.com=MUST_NOPEERMATCH, mx.example.com=MUST}", "", kVerify},
      {"inline:{example.com=MUST, mx.example.com=MUST_NOPEERMATCH}", "", kVerify},
      {"inline:{example.com=MUST_NOPEERMATCH, mx.example.com=NONE}", "", kEncrypt},
  };
  for (const auto& each : cases) {
    Site site({{"smtp_tls_per_site", each.table}, {"smtp_tls_security_level", each.level}});
    ASSERT_TRUE(site.is_open());
    EXPECT_TRUE(site.policies().may_use_tls());
    const auto policy = site.find("Example.com", "Example.com");
    ASSERT_TRUE(policy) << each.table << ": " << policy.error().message;
    EXPECT_EQ(policy->level, each.expected) << each.table << " at " << each.level;
  }
}

TEST(ClientTlsPolicy, PerSiteThatCannotBe) {
  for (const auto& [table, kind] :
       {std::pair<std::string_view, ErrorKind>{"static:foo", ErrorKind::kConfiguration},
        {"fail:x", ErrorKind::kTemporary},
        {"inline:{example.com=}", ErrorKind::kTemporary}}) {
    Site site({{"smtp_tls_per_site", table}});
    ASSERT_TRUE(site.is_open());
    const auto policy = site.find("example.com");
    ASSERT_FALSE(policy) << table;
    EXPECT_EQ(policy.error().kind, kind) << table;
  }
  Site site({{"smtp_tls_per_site", "static:MUST"}, {"smtp_tls_policy_maps", "inline:{x=none}"}});
  ASSERT_TRUE(site.is_open());
  EXPECT_EQ(site.find("example.com")->level, ClientTlsLevel::kNone);
}

}  // namespace
}  // namespace mta
