#include "libconf/settings.h"

#include <gtest/gtest.h>

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace libconf {
namespace {

using Bytes = std::vector<std::uint8_t>;

const Bytes kLoopback4 = {127, 0, 0, 1};
const Bytes kLoopback6 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
const Bytes kPublic4 = {192, 0, 2, 77};
const Bytes kPrivate4 = {10, 1, 2, 3};
const Bytes kPublic6 = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};

Host fake_host(std::string name = "mail.example.com") {
  Host host;
  host.name = std::move(name);
  host.interfaces = []() -> Result<std::vector<InterfaceAddress>> {
    return std::vector<InterfaceAddress>{
        {kLoopback4, 8}, {kPublic4, 26}, {kPrivate4, 16}, {kLoopback6, 128}, {kPublic6, 64}};
  };
  host.resolve = [](const std::string& wanted) -> std::vector<Bytes> {
    static const std::map<std::string, std::vector<Bytes>> kNames = {
        {"localhost", {kLoopback4, kLoopback6}},
        {"127.0.0.1", {kLoopback4}},
        {"::1", {kLoopback6}},
        {"mail.example.com", {kPublic4}},
        {"192.0.2.77", {kPublic4}},
        {"198.51.100.1", {{198, 51, 100, 1}}},
    };
    const auto found = kNames.find(wanted);
    return found == kNames.end() ? std::vector<Bytes>{} : found->second;
  };
  return host;
}

/// Settings and the documents behind them.
struct Site {
  explicit Site(std::string main_cf_text, std::string master_cf_text = "", Host host = fake_host())
      : main_cf(MainCfDocument::parse(std::move(main_cf_text), "main.cf")),
        master_cf(*MasterCf::read(MasterCfDocument::parse(std::move(master_cf_text), "master.cf"), discard)),
        settings(&main_cf, std::move(host)) {
    settings.define_service_parameters(master_cf);
  }
  Settings view(std::size_t service) const {
    return settings.for_service(master_cf.services().at(service), master_cf);
  }

  DiagnosticDiscard discard;
  MainCfDocument main_cf;
  MasterCf master_cf;
  Settings settings;
};

std::string origin_of(const Settings& settings, std::string_view name) {
  const std::optional<Setting> setting = settings.find(name);
  return setting ? to_string(setting->origin) : "(none)";
}

std::string value_of(const Settings& settings, std::string_view name) {
  return std::string(settings.value_of(name).value_or("(none)"));
}

TEST(Settings, OriginsForPeople) {
  struct Case {
    Origin origin;
    const char* text;
  };
  for (const Case& c :
       {Case{{}, "default"}, Case{{.kind = OriginKind::kHost}, "default (host)"},
        Case{{.kind = OriginKind::kDirectory}, "-c or MAIL_CONFIG"},
        Case{{.kind = OriginKind::kMainCf, .file = "main.cf", .line = 12}, "main.cf:12"},
        Case{{.kind = OriginKind::kOverride}, "-o"},
        Case{{.kind = OriginKind::kServiceOption, .file = "master.cf", .line = 30}, "master.cf:30 (-o)"}})
    EXPECT_EQ(to_string(c.origin), c.text);
}

TEST(Settings, LayersAndOrigins) {
  Site site(
      "# head\n"
      "relayhost = [main]\n"
      "mail_name = One\n"
      "mail_name = Two\n"
      "user_name = x\n"
      "broken line\n",
      "\nsmtp inet n - n - - smtpd\n"
      "  -o relayhost=[service] -o mail_name=\n");
  site.settings.override_value("mail_name", "Override");
  site.settings.set_config_directory("/etc/somewhere");
  const Settings view = site.view(0);

  struct Case {
    const char* name;
    const char* value;
    const char* origin;
    const char* view_value;
    const char* view_origin;
  };
  const Case cases[] = {
      {"relayhost", "[main]", "main.cf:2", "[service]", "master.cf:3 (-o)"},
      {"mail_name", "Override", "-o", "", "master.cf:3 (-o)"},
      {"user_name", "x", "main.cf:5", "x", "main.cf:5"},
      {"queue_run_delay", "300s", "default", "300s", "default"},
      {"smtpd_hard_error_limit", "${stress?{1}:{20}}", "default", "${stress?{1}:{20}}", "default"},
      {"myhostname", "mail.example.com", "default (host)", "mail.example.com", "default (host)"},
      {"config_directory", "/etc/somewhere", "-c or MAIL_CONFIG", "/etc/somewhere", "-c or MAIL_CONFIG"},
      {"nosuch_name", "(none)", "(none)", "(none)", "(none)"},
      {"broken", "(none)", "(none)", "(none)", "(none)"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(value_of(site.settings, c.name), c.value);
    EXPECT_EQ(origin_of(site.settings, c.name), c.origin);
    EXPECT_EQ(value_of(view, c.name), c.view_value);
    EXPECT_EQ(origin_of(view, c.name), c.view_origin);
  }
}

TEST(Settings, MainCfWinsOverTheDirectoryThatWasGiven) {
  Site site("config_directory = /main\n");
  site.settings.set_config_directory("/given");
  EXPECT_EQ(value_of(site.settings, "config_directory"), "/main");
  EXPECT_EQ(origin_of(site.settings, "config_directory"), "main.cf:1");
}

TEST(Settings, ExplicitAndDefault) {
  const Site site("relayhost = [main]\n");
  EXPECT_TRUE(site.settings.explicit_setting("relayhost"));
  EXPECT_FALSE(site.settings.explicit_setting("mail_name"));
  ASSERT_TRUE(site.settings.default_setting("relayhost"));
  EXPECT_EQ(site.settings.default_setting("relayhost")->value, "");
  EXPECT_EQ(site.settings.default_setting("mail_name")->value, "Postfix");
  EXPECT_FALSE(site.settings.default_setting("nosuch_name"));
}

TEST(Settings, WithoutADocument) {
  const Settings settings(nullptr, fake_host());
  EXPECT_EQ(value_of(settings, "mail_name"), "Postfix");
  EXPECT_TRUE(settings.explicit_names().empty());
}

TEST(Settings, ExplicitNames) {
  Site site("b = 1\na = 2\nb = 3\njunk\n");
  site.settings.override_value("c", "4");
  site.settings.override_value("a", "5");
  site.settings.set_config_directory("/x");
  EXPECT_EQ(site.settings.explicit_names(),
            (std::vector<std::string_view>{"a", "b", "c", "config_directory"}));
}

TEST(Settings, GetExpands) {
  Site site(
      "myhostname = mail.example.org\n"
      "relayhost = [gw.$mydomain]\n"
      "mail_name = $nosuch_name!\n"
      "bad = ${\n"
      "loop = $loop\n");
  struct Case {
    const char* name;
    const char* value;  ///< nullptr: an error.
  };
  for (const Case& c :
       {Case{"relayhost", "[gw.example.org]"}, Case{"mail_name", "!"}, Case{"mydomain", "example.org"},
        Case{"nosuch_name", ""}, Case{"smtpd_banner", "mail.example.org ESMTP !"}, Case{"bad", nullptr},
        Case{"loop", nullptr}}) {
    SCOPED_TRACE(c.name);
    const Result<std::string> value = site.settings.get(c.name);
    ASSERT_EQ(value.has_value(), c.value != nullptr);
    if (value) {
      EXPECT_EQ(*value, c.value);
      EXPECT_EQ(*site.settings.get(c.name), c.value);  // From the cache.
    } else {
      EXPECT_EQ(value.error().kind, ErrorKind::kSyntax);
      EXPECT_EQ(value.error().message, "macro processing error");
    }
  }
}

TEST(Settings, AnOverrideIsSeenByWhatWasExpandedBefore) {
  Site site("relayhost = [gw.$mydomain]\n");
  EXPECT_EQ(*site.settings.get("relayhost"), "[gw.example.com]");
  site.settings.override_value("mydomain", "example.net");
  EXPECT_EQ(*site.settings.get("relayhost"), "[gw.example.net]");
  site.settings.override_value("myhostname", "a.b.example");
  EXPECT_EQ(*site.settings.get("myhostname"), "a.b.example");
}

TEST(Settings, ExpandText) {
  const Site site("a = 1\nb = <$a>\n");
  DiagnosticList sink;
  EXPECT_EQ(*site.settings.expand_text("$b $mail_name", sink), "<1> Postfix");
  EXPECT_TRUE(sink.items().empty());
  EXPECT_FALSE(site.settings.expand_text("$b $", sink));
  ASSERT_EQ(sink.items().size(), 1U);
  EXPECT_EQ(sink.items()[0].message, "empty macro name: \"$b $\"");
}

TEST(Settings, ViewOfAService) {
  const Site site("a = $b\nb = 2\nrelayhost = $a\n",
                  "s inet n - n - - smtpd -o b=3 -o relayhost=[$a] -o own=1\n"
                  "t inet n - n - - smtpd\n");
  const Settings s = site.view(0);
  const Settings t = site.view(1);
  EXPECT_EQ(*s.get("relayhost"), "[3]");
  EXPECT_EQ(*t.get("relayhost"), "2");
  EXPECT_EQ(*site.settings.get("relayhost"), "2");
  EXPECT_EQ(*s.get("service_name"), "s");
  EXPECT_EQ(*t.get("service_name"), "t");
  EXPECT_EQ(t.find("service_name")->origin.kind, OriginKind::kServiceEntry);
  EXPECT_EQ(t.find("service_name")->origin.line, 2);
  EXPECT_EQ(value_of(s, "own"), "1");
  EXPECT_EQ(value_of(t, "own"), "(none)");
}

TEST(Settings, ViewSeesOptionsThatHostDefaultsDependOn) {
  const Site site("", "s inet n - n - - smtpd -o myhostname=other.example.net\n");
  EXPECT_EQ(*site.settings.get("mydomain"), "example.com");
  EXPECT_EQ(*site.view(0).get("mydomain"), "example.net");
}

// master(8) starts the last of them, with the options of that entry.
TEST(Settings, DuplicatesOfAServiceHaveTheirOwnOptions) {
  const Site site("", "s inet n - n - - smtpd -o a=1 -o b=1\ns inet n - n - - smtpd -o a=2\n");
  EXPECT_EQ(value_of(site.view(0), "a"), "1");
  EXPECT_EQ(value_of(site.view(1), "a"), "2");
  EXPECT_EQ(value_of(site.view(1), "b"), "(none)");
}

// The stock postconf -P shows `a = 2` for all three services of its kind.
TEST(Settings, DuplicatesOfAServiceShareTheirOptionsInPostconf) {
  const Site site("",
                  "s inet n - n - - smtpd\n"
                  "s inet n - n - - smtpd -o a=1 -o b=1\n"
                  "s unix n - n - - smtpd -o a=other\n"
                  "s inet n - n - - smtpd\n"
                  "s inet n - n - - smtpd -o a=2\n");
  struct Case {
    std::size_t service;
    const char* a;
    const char* a_origin;
    const char* b;
  };
  for (const Case& c : {Case{0, "(none)", "(none)", "(none)"}, Case{1, "2", "master.cf:5 (-o)", "1"},
                        Case{2, "other", "master.cf:3 (-o)", "(none)"}, Case{3, "2", "master.cf:5 (-o)", "1"},
                        Case{4, "2", "master.cf:5 (-o)", "1"}}) {
    SCOPED_TRACE(c.service);
    const Settings view =
        site.settings.for_services_like(site.master_cf.services().at(c.service), site.master_cf);
    EXPECT_EQ(value_of(view, "a"), c.a);
    EXPECT_EQ(origin_of(view, "a"), c.a_origin);
    EXPECT_EQ(value_of(view, "b"), c.b);
  }
}

constexpr const char* kPeers =
    "smtp inet n - n - - smtpd -o cleanup_service_name=pre -o always_bcc=smtpd\n"
    "pre unix n - n - 0 cleanup -o canonical_maps=first\n"
    "pre unix n - y - 0 cleanup -o virtual_alias_maps= -o rewrite_service_name=$other\n"
    "pre inet n - n - 0 cleanup -o canonical_maps=inet\n"
    "bare unix - - n - - trivial-rewrite -o swap_bangpath=no\n";

TEST(Settings, OfAPeerAreThoseOfItsEntry) {
  const Site site("always_bcc = site\nother = bare\nvirtual_alias_maps = site\n", kPeers);
  const Settings smtpd = site.view(0);
  const Settings cleanup = smtpd.of_peer("cleanup_service_name");
  EXPECT_EQ(value_of(smtpd, "always_bcc"), "smtpd");
  EXPECT_EQ(value_of(cleanup, "always_bcc"), "site") << "the option is smtpd's";
  EXPECT_EQ(value_of(cleanup, "service_name"), "pre");
  EXPECT_EQ(value_of(cleanup, "virtual_alias_maps"), "");
  EXPECT_EQ(value_of(cleanup, "canonical_maps"), "") << "it is the last entry that counts";
  EXPECT_EQ(origin_of(cleanup, "virtual_alias_maps"), "master.cf:3 (-o)");
  EXPECT_EQ(*cleanup.of_peer("rewrite_service_name").get("swap_bangpath"), "no");
  EXPECT_EQ(*smtpd.of_peer("rewrite_service_name").get("swap_bangpath"), "yes") << "there is no `rewrite`";
}

TEST(Settings, OfAPeerHaveWhatWasOverriddenForTheSite) {
  Site site("", kPeers);
  site.settings.override_value("mail_name", "Site");
  Settings smtpd = site.view(0);
  smtpd.override_value("stress", "yes");
  const Settings cleanup = smtpd.of_peer("cleanup_service_name");
  EXPECT_EQ(value_of(cleanup, "mail_name"), "Site");
  EXPECT_EQ(value_of(cleanup, "stress"), "") << "it was for smtpd alone";
}

TEST(Settings, OfAPeerWithoutMasterCfAreTheSame) {
  Settings settings(nullptr, fake_host());
  settings.override_value("always_bcc", "all");
  EXPECT_EQ(value_of(settings.of_peer("cleanup_service_name"), "always_bcc"), "all");
}

TEST(Settings, ServiceParameters) {
  const Site site("relay_destination_rate_delay = 5s\n",
                  "relay unix - - n - - smtp\nscan unix - n n - - pipe\ncheck unix - n n - 0 spawn\n");
  const auto& names = site.settings.service_parameters();
  EXPECT_EQ(names.at("scan_time_limit"), "$command_time_limit");
  EXPECT_EQ(names.at("check_time_limit"), "$command_time_limit");
  EXPECT_EQ(names.at("relay_destination_rate_delay"), "$default_destination_rate_delay");
  EXPECT_EQ(names.count("relay_time_limit"), 0U);
  EXPECT_EQ(names.count("check_destination_rate_delay"), 0U);
  EXPECT_EQ(*site.settings.get("scan_time_limit"), "1000s");
  EXPECT_EQ(*site.settings.get("relay_destination_rate_delay"), "5s");
}

struct HostNameCase {
  const char* name;
  const char* host_name;
  const char* main_cf;
  const char* myhostname;
  const char* mydomain;
};

// postconf(5), mydomain and myhostname; checked with the stock postconf.
TEST(SettingsFromTheHost, Names) {
  const HostNameCase cases[] = {
      {"full host name", "mail.example.com", "", "mail.example.com", "example.com"},
      {"short host name", "vm", "", "vm.localdomain", "localdomain"},
      {"short host name, mydomain is set", "vm", "mydomain = ex.org\n", "vm.ex.org", "ex.org"},
      {"full host name, mydomain is set", "a.b.c", "mydomain = ex.org\n", "a.b.c", "ex.org"},
      {"myhostname is set", "vm", "myhostname = a.b.c\n", "a.b.c", "b.c"},
      {"myhostname without a dot", "vm", "myhostname = nodots\n", "nodots", "localdomain"},
      {"myhostname refers to mydomain", "vm", "myhostname = mail.$mydomain\n", "mail.", ""},
      {"mydomain refers to another name", "vm", "mydomain = $x\nx = ex.org\n", "vm.ex.org", "ex.org"},
  };
  for (const HostNameCase& c : cases) {
    SCOPED_TRACE(c.name);
    const Site site(c.main_cf, "", fake_host(c.host_name));
    EXPECT_EQ(*site.settings.get("myhostname"), c.myhostname);
    EXPECT_EQ(*site.settings.get("mydomain"), c.mydomain);
  }
}

struct NetworkCase {
  const char* name;
  const char* main_cf;
  const char* expected;  ///< mynetworks, or the error.
  bool is_error = false;
};

constexpr NetworkCase kNetworkCases[] = {
    {"default: host", "", "127.0.0.1/32 192.0.2.77/32 10.1.2.3/32 [::1]/128 [2001:db8::2]/128"},
    {"host", "mynetworks_style = host\n",
     "127.0.0.1/32 192.0.2.77/32 10.1.2.3/32 [::1]/128 [2001:db8::2]/128"},
    {"subnet", "mynetworks_style = subnet\n",
     "127.0.0.0/8 192.0.2.64/26 10.1.0.0/16 [::1]/128 [2001:db8::]/64"},
    {"class", "mynetworks_style = class\n", "127.0.0.0/8 192.0.2.0/24 10.0.0.0/8 [::1]/128 [2001:db8::]/64"},
    {"style through a reference", "mynetworks_style = $x\nx = subnet\ninet_protocols = ipv6\n",
     "[::1]/128 [2001:db8::]/64"},
    {"IPv4 only", "mynetworks_style = subnet\ninet_protocols = ipv4\n",
     "127.0.0.0/8 192.0.2.64/26 10.1.0.0/16"},
    {"IPv6 only", "inet_protocols = ipv6\n", "[::1]/128 [2001:db8::2]/128"},
    {"both by name", "inet_interfaces = localhost\ninet_protocols = ipv6, ipv4\n", "127.0.0.1/32 [::1]/128"},
    {"no protocol", "inet_protocols =\n", ""},
    {"loopback only", "inet_interfaces = loopback-only\n", "127.0.0.1/32 [::1]/128"},
    {"loopback only, subnet", "inet_interfaces = loopback-only\nmynetworks_style = subnet\n",
     "127.0.0.0/8 [::1]/128"},
    {"an address", "inet_interfaces = 192.0.2.77\n", "192.0.2.77/32"},
    {"an address in brackets", "inet_interfaces = [127.0.0.1]\n", "127.0.0.1/32"},
    {"an IPv6 address in brackets", "inet_interfaces = [::1]\n", "[::1]/128"},
    {"a name", "inet_interfaces = $myhostname\nmynetworks_style = class\n", "192.0.2.0/24"},
    {"a list", "inet_interfaces = $myhostname, localhost\n", "127.0.0.1/32 192.0.2.77/32 [::1]/128"},
    {"an empty list", "inet_interfaces =\n", ""},
    {"explicit mynetworks", "mynetworks = 10.0.0.0/8\ninet_interfaces = nosuch.invalid\n", "10.0.0.0/8"},
    {"unknown host", "inet_interfaces = nosuch.invalid\n",
     "config variable inet_interfaces: host not found: nosuch.invalid", true},
    {"all is no host in a list", "inet_interfaces = all, localhost\n",
     "config variable inet_interfaces: host not found: all", true},
    {"capitals are a host name", "inet_interfaces = LOOPBACK-ONLY\n",
     "config variable inet_interfaces: host not found: LOOPBACK-ONLY", true},
    {"not local", "inet_interfaces = 198.51.100.1\n",
     "parameter inet_interfaces: no local interface found for 198.51.100.1", true},
    {"one of two is not local", "inet_interfaces = 127.0.0.1, 198.51.100.1\n",
     "parameter inet_interfaces: no local interface found for 198.51.100.1", true},
    {"unknown style", "mynetworks_style = foo\n", R"(unknown mynetworks mask style value "foo" in "foo")",
     true},
    {"style in capitals", "mynetworks_style = HOST\n",
     R"(unknown mynetworks mask style value "HOST" in "HOST")", true},
    {"unknown protocol", "inet_protocols = ipv5\n", R"(unknown inet_protocols value "ipv5" in "ipv5")", true},
    {"unknown protocol in a list", "inet_protocols = ipv4, ipv5\n",
     R"(unknown inet_protocols value "ipv5" in "ipv4, ipv5")", true},
};

void check_networks(std::span<const NetworkCase> cases) {
  for (const NetworkCase& c : cases) {
    SCOPED_TRACE(std::string(c.name) + ": " + c.main_cf);
    const Site site(std::string("compatibility_level = 3.6\n") + c.main_cf);
    const std::optional<Setting> networks = site.settings.find("mynetworks");
    ASSERT_TRUE(networks);
    const std::optional<Error>& error = site.settings.host_error();
    EXPECT_EQ(error.has_value(), c.is_error) << "value: " << networks->value;
    if (error.has_value() != c.is_error) continue;
    if (c.is_error) {
      EXPECT_EQ(error->kind, ErrorKind::kConfiguration);
      EXPECT_EQ(error->message, c.expected);
    } else {
      EXPECT_EQ(networks->value, c.expected);
    }
  }
}

TEST(SettingsFromTheHost, Networks) { check_networks(kNetworkCases); }

// As the stock postconf words it.
TEST(SettingsFromTheHost, HostWithoutAnAddressOfTheProtocolsIsNotFound) {
  constexpr NetworkCase kCases[] = {
      {"a host without an address of the protocols", "inet_interfaces = [::1]\ninet_protocols = ipv4\n",
       "config variable inet_interfaces: host not found: [::1]", true},
  };
  check_networks(kCases);
}

// As the stock postconf words it.
TEST(SettingsFromTheHost, ExactlyOneStyle) {
  constexpr NetworkCase kCases[] = {
      {"no style", "mynetworks_style =\n", "bad mynetworks_style value: ; specify exactly one value", true},
      {"two styles", "mynetworks_style = host subnet\n",
       "bad mynetworks_style value: host subnet; specify exactly one value", true},
  };
  check_networks(kCases);
}

TEST(SettingsFromTheHost, StyleDependsOnTheCompatibilityLevel) {
  EXPECT_EQ(*Site("inet_interfaces = 192.0.2.77\ncompatibility_level = 2\n").settings.get("mynetworks"),
            "192.0.2.77/32");
  EXPECT_EQ(*Site("inet_interfaces = 192.0.2.77\ncompatibility_level = 1\n").settings.get("mynetworks"),
            "192.0.2.64/26");
}

TEST(SettingsFromTheHost, GetTellsOfAnError) {
  const Site site("inet_interfaces = nosuch.invalid\n");
  const Result<std::string> networks = site.settings.get("mynetworks");
  ASSERT_FALSE(networks) << *networks;
  EXPECT_EQ(networks.error().kind, ErrorKind::kConfiguration);
  EXPECT_EQ(networks.error().message, "config variable inet_interfaces: host not found: nosuch.invalid");
}

TEST(SettingsFromTheHost, ErrorsDoNotStickToOtherValues) {
  const Site site("inet_interfaces = nosuch.invalid\nrelay_domains = $mynetworks\n");
  ASSERT_FALSE(site.settings.get("relay_domains"));
  EXPECT_TRUE(site.settings.get("mail_name"));
  EXPECT_FALSE(site.settings.get("relay_domains"));
}

TEST(SettingsFromTheHost, ErrorsReachNamesThatRefer) {
  const Site site("inet_interfaces = nosuch.invalid\nrelay_domains = $mynetworks\n");
  const Result<std::string> domains = site.settings.get("relay_domains");
  ASSERT_FALSE(domains);
  EXPECT_EQ(domains.error().message, "config variable inet_interfaces: host not found: nosuch.invalid");
}

TEST(SettingsFromTheHost, FailingInterfaces) {
  Host host = fake_host();
  host.interfaces = []() -> Result<std::vector<InterfaceAddress>> {
    return Error{.kind = ErrorKind::kInputOutput, .message = "getifaddrs: no"};
  };
  const Site site("", "", host);
  ASSERT_TRUE(site.settings.find("mynetworks"));
  ASSERT_TRUE(site.settings.host_error());
  EXPECT_EQ(site.settings.host_error()->message, "getifaddrs: no");
}

TEST(Settings, TypedGetters) {
  const Site site(
      "biff = No\n"
      "soft_bounce = maybe\n"
      "message_size_limit = $x\n"
      "x = 1000\n"
      "mailbox_size_limit = ten\n"
      "default_process_limit = 0\n"
      "queue_run_delay = 5m\n"
      "minimal_backoff_time = 5x\n"
      "maximal_queue_lifetime = 3\n"
      "mydestination = a, {b c}\td\n"
      "relay_domains = ${\n");
  EXPECT_FALSE(*site.settings.get_bool("biff"));
  EXPECT_TRUE(*site.settings.get_bool("append_at_myorigin"));
  EXPECT_EQ(*site.settings.get_int("message_size_limit"), 1000);
  EXPECT_EQ(*site.settings.get_int("smtpd_hard_error_limit"), 20);  // ${stress?{1}:{20}}
  EXPECT_EQ(site.settings.get_duration("queue_run_delay")->count(), 300);
  EXPECT_EQ(site.settings.get_duration("maximal_queue_lifetime")->count(), 3 * 86400);
  EXPECT_EQ(*site.settings.get_list("mydestination"), (std::vector<std::string>{"a", "{b c}", "d"}));
  EXPECT_TRUE(site.settings.get_list("relayhost")->empty());

  const auto soft = site.settings.get_bool("soft_bounce");
  ASSERT_FALSE(soft);
  EXPECT_EQ(soft.error().kind, ErrorKind::kConfiguration);
  EXPECT_EQ(soft.error().message, "bad boolean configuration: soft_bounce = maybe");
  EXPECT_EQ(soft.error().file, "main.cf");
  EXPECT_EQ(soft.error().line, 2);
  const auto mailbox = site.settings.get_int("mailbox_size_limit");
  ASSERT_FALSE(mailbox);
  EXPECT_EQ(mailbox.error().message, "bad numerical configuration: mailbox_size_limit = ten");
  const auto limit = site.settings.get_int("default_process_limit");
  ASSERT_FALSE(limit);
  EXPECT_EQ(limit.error().message, "invalid default_process_limit parameter value 0 < 1");
  const auto backoff = site.settings.get_duration("minimal_backoff_time");
  ASSERT_FALSE(backoff);
  EXPECT_EQ(backoff.error().message, "parameter minimal_backoff_time: bad time value or unit: 5x");
  const auto domains = site.settings.get_list("relay_domains");
  ASSERT_FALSE(domains);
  EXPECT_EQ(domains.error().kind, ErrorKind::kSyntax);
}

}  // namespace
}  // namespace libconf
