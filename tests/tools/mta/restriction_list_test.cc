#include "tools/mta/access/restriction_list.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "libconf/host.h"
#include "tools/mta/access/host_name.h"
#include "tools/mta/access/rbl_filter.h"

namespace mta {
namespace {

libconf::Settings settings_with(const std::map<std::string, std::string>& values) {
  libconf::Settings settings(nullptr, libconf::Host{"mx.test.example", {}, {}});
  for (const auto& [name, value] : values) settings.override_value(name, value);
  return settings;
}

TEST(RestrictionType, FindsNamesInAnyCase) {
  ASSERT_NE(find_restriction_type("Reject_UNAUTH_destination"), nullptr);
  EXPECT_EQ(find_restriction_type("Reject_UNAUTH_destination")->kind,
            RestrictionKind::kRejectUnauthDestination);
  EXPECT_EQ(find_restriction_type("reject_unauth_destinatio"), nullptr);
  EXPECT_EQ(find_restriction_type(""), nullptr);
}

TEST(RestrictionList, TakesArgumentsAndWarnings) {
  const libconf::Settings settings = settings_with(
      {{"smtpd_restriction_classes", "strict"}, {"strict", "reject_unknown_sender_domain, permit"}});
  libconf::DiagnosticList warnings;
  const auto classes = RestrictionClasses::create(settings, warnings);
  ASSERT_TRUE(classes);
  const auto list = classes->parse(
      "permit_mynetworks,check_client_access inline:{{a b=REJECT x, y}}\n warn_if_reject reject_rbl_client "
      "zen.example=127.0.0.2 strict, sleep 5 , hash:/etc/x nonsense",
      warnings);
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 7u);
  EXPECT_EQ((*list)[0].type->kind, RestrictionKind::kPermitMynetworks);
  EXPECT_EQ(std::get<std::string>((*list)[1].argument), "inline:{{a b=REJECT x, y}}");
  EXPECT_FALSE((*list)[1].warn_only);
  EXPECT_TRUE((*list)[2].warn_only);
  EXPECT_EQ(std::get<RblArgument>((*list)[2].argument).domain, "zen.example");
  EXPECT_EQ((*list)[3].type->kind, RestrictionKind::kClass);
  EXPECT_EQ((*list)[3].restrictions->size(), 2u);
  EXPECT_EQ(std::get<std::chrono::seconds>((*list)[4].argument), std::chrono::seconds(5));
  EXPECT_EQ((*list)[5].type->kind, RestrictionKind::kTable);
  EXPECT_EQ((*list)[6].warnings, std::vector<std::string>{"unknown smtpd restriction: \"nonsense\""});
  EXPECT_TRUE(warnings.items().empty());
}

TEST(RestrictionList, KeepsFaultsForWhenTheyAreReached) {
  const std::pair<const char*, const char*> cases[] = {
      {"check_client_access reject",
       "restriction check_client_access: bad argument \"reject\": need maptype:mapname"},
      {"check_client_access",
       "restriction check_client_access: bad argument \"check_client_access\": need maptype:mapname"},
      {"sleep reject", "restriction sleep must be followed by number"},
      {"sleep -1", "restriction sleep must be followed by number"},
      {"check_policy_service", "restriction check_policy_service must be followed by transport:server"},
      {"reject_rbl_client", "restriction reject_rbl_client requires domain name argument"},
      {"permit_naked_ip_address",
       "support for restriction \"permit_naked_ip_address\" has been removed as of Postfix 3.9; instead, "
       "specify "
       "\"permit_mynetworks\" or \"permit_sasl_authenticated\""},
  };
  const libconf::Settings settings = settings_with({});
  libconf::DiagnosticList warnings;
  const auto classes = RestrictionClasses::create(settings, warnings);
  for (const auto& [text, warning] : cases) {
    const auto list = classes->parse(text, warnings);
    ASSERT_TRUE(list) << text;
    ASSERT_FALSE(list->empty()) << text;
    EXPECT_EQ((*list)[0].warnings, std::vector<std::string>{warning}) << text;
  }
  // An argument that is no number is a restriction of its own.
  EXPECT_EQ(classes->parse("sleep reject", warnings)->size(), 2u);
}

TEST(RestrictionList, TablesMayNotNameTables) {
  const libconf::Settings settings = settings_with({});
  libconf::DiagnosticList warnings;
  const auto classes = RestrictionClasses::create(settings, warnings);
  const auto list = classes->parse_result("check_client_access static:OK", "hash:/x", warnings);
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ((*list)[0].warnings,
            (std::vector<std::string>{
                "access table hash:/x has entry with lookup table: check_client_access static:OK",
                "do not specify lookup tables inside SMTPD access maps",
                "define a restriction class and specify its name instead."}));
  EXPECT_EQ(classes->parse_result("reject_unauth_destination permit", "hash:/x", warnings)->size(), 2u);
}

TEST(PolicySettings, OwnSettingsGoOverThoseOfMainCf) {
  const libconf::Settings settings =
      settings_with({{"queue_directory", "/var/spool/postfix"}, {"smtpd_policy_service_timeout", "7s"}});
  const auto plain = parse_policy_service("unix:private/policy", settings);
  ASSERT_TRUE(plain);
  EXPECT_TRUE(plain->is_unix);
  EXPECT_EQ(plain->path, libconf::RootedPath{.path = "/var/spool/postfix/private/policy"});
  EXPECT_EQ(plain->name, "private/policy");
  EXPECT_EQ(plain->timeout, std::chrono::seconds(7));
  EXPECT_EQ(plain->try_limit, 2);
  EXPECT_EQ(plain->default_action, "451 4.3.5 Server configuration problem");
  const auto own = parse_policy_service(
      "{ inet:[::1]:9998, timeout=1m try_limit=3, { default_action = 450 4.3.5 Come, later }, "
      "policy_context=x }",
      settings);
  ASSERT_TRUE(own);
  EXPECT_EQ(own->host, "::1");
  EXPECT_EQ(own->port, "9998");
  EXPECT_EQ(own->timeout, std::chrono::minutes(1));
  EXPECT_EQ(own->try_limit, 3);
  EXPECT_EQ(own->default_action, "450 4.3.5 Come, later");
  EXPECT_EQ(own->policy_context, "x");
  EXPECT_FALSE(parse_policy_service("{ inet:h:1, timeout=x }", settings));
  EXPECT_FALSE(parse_policy_service("{ inet:h:1, timeout }", settings));
}

TEST(RblFilter, MatchesNumbersAndRanges) {
  struct FilterCase {
    const char* filter;
    const char* address;
    bool matches;
  };
  const FilterCase cases[] = {
      {"127.0.0.2", "127.0.0.2", true},
      {"127.0.0.2", "127.0.0.3", false},
      {"127.0.0.[2..4;9]", "127.0.0.3", true},
      {"127.0.0.[2..4;9]", "127.0.0.9", true},
      {"127.0.0.[2..4;9]", "127.0.0.5", false},
      {"[0..255].[0..255].[0..255].[0..255]", "1.2.3.4", true},
      {"127.0.0.2", "::1", false},
      {"127.0.0.2", "x", false},
  };
  for (const FilterCase& each : cases) {
    const auto filter = RblFilter::parse(each.filter);
    ASSERT_TRUE(filter) << each.filter;
    EXPECT_EQ(filter->matches(each.address), each.matches) << each.filter << " " << each.address;
  }
}

TEST(RblFilter, SaysWhereItIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"127.0.0", "RBL reply error: need \".\" at \"127.0.0><\""},
      {"127.0.0.300", "RBL reply error: need decimal number 0..255 or \"[\" at \"127.0.0.>300<\""},
      {"127.0.0.[", "RBL reply error: need decimal number 0..255 at \"127.0.0.[><\""},
      {"127.0.0.[5..2]", "RBL reply error: bad range at \"127.0.0.[5..2>]<\""},
      {"127.0.0.[2", "RBL reply error: need \";\", \"..\" or \"]\" at \"127.0.0.[2><\""},
      {"127.0.0.2x", "RBL reply error: garbage after pattern at \"127.0.0.2>x<\""},
  };
  for (const auto& [text, message] : cases) {
    const auto filter = RblFilter::parse(text);
    ASSERT_FALSE(filter) << text;
    EXPECT_EQ(filter.error().message, message);
  }
}

TEST(HostName, IsWhatPostfixTakesForOne) {
  for (const char* good :
       {"a", "a.b", "a.b.", "foo_bar.example", "b.123", "_", "a._b", "1a", "xn--a.example"})
    EXPECT_TRUE(is_valid_host_name(good)) << good;
  for (const char* bad : {"", ".", "a..b", ".a.b", "-foo.example", "a-.b", "a-", "-", "123", "12.34",
                          "1.2.3.4", "foo!", "#x", "a b", "ipv6:::1"})
    EXPECT_FALSE(is_valid_host_name(bad)) << bad;
  EXPECT_FALSE(is_valid_host_name(std::string(64, 'x') + ".a"));
  EXPECT_EQ(bracketed_address("[192.0.2.1]"), libmaps::parse_ip_address("192.0.2.1"));
  EXPECT_EQ(bracketed_address("[IPv6:2001:db8:0::1]"), libmaps::parse_ip_address("2001:db8::1"));
  EXPECT_EQ(bracketed_address("[::1]"), libmaps::parse_ip_address("::1"));
  for (const char* bad : {"192.0.2.1", "[192.0.2.1", "[]", "[1.2.3]", "[foo]", "["})
    EXPECT_FALSE(bracketed_address(bad)) << bad;
}

}  // namespace
}  // namespace mta
