#include "tools/mta/delivery/client_logins.h"

#include <gtest/gtest.h>

#include "libconf/host.h"

namespace mta {
namespace {

using Options = std::vector<std::pair<std::string_view, std::string_view>>;

class Site {
 public:
  explicit Site(const Options& options) : settings_(nullptr, libconf::system_host()) {
    settings_.override_value("smtp_sasl_auth_enable", "yes");
    for (const auto& [name, value] : options) settings_.override_value(name, value);
    logins_ = ClientLogins::open("smtp_", {.settings = settings_, .warnings = warnings_});
  }
  bool is_open() const { return logins_.has_value(); }
  ClientLogins* logins() { return logins_->get(); }

  /// "name password"; "none", or "error".
  std::string find(std::string_view sender, std::string_view nexthop = "example.com") {
    const auto found = logins()->find(sender, "mx.example.com", nexthop);
    if (!found) return "error";
    return *found ? (*found)->name + ' ' + (*found)->password : "none";
  }

 private:
  libconf::DiagnosticList warnings_;
  libconf::Settings settings_;
  libconf::Result<std::unique_ptr<ClientLogins>> logins_{libconf::Error{}};
};

TEST(ClientLogins, WithoutAuthThereAreNone) {
  Site site(Options{{"smtp_sasl_auth_enable", "no"}});
  ASSERT_TRUE(site.is_open());
  EXPECT_EQ(site.logins(), nullptr);
}

TEST(ClientLogins, WhatNoLoginIsPossibleWith) {
  const Options map{{"smtp_sasl_password_maps", "static:a:b"}};
  for (const Options& more :
       {Options{{"smtp_sasl_password_maps", ""}}, Options{{"smtp_sasl_type", "nonesuch"}},
        Options{{"smtp_sasl_security_options", "nofun"}}}) {
    Options options = map;
    options.insert(options.end(), more.begin(), more.end());
    EXPECT_FALSE(Site(options).is_open()) << more.front().first;
  }
  EXPECT_TRUE(Site(map).is_open());
}

// In the order of Postfix 3.7.
TEST(ClientLogins, KeysOfTheTable) {
  Site host(Options{
      {"smtp_sasl_password_maps",
       "inline:{{mx.example.com=host:1}, {example.com=hop:2}, {[a]:25=port:3}, {ann@example.org=ann:4}}"}});
  EXPECT_EQ(host.find("ann@example.org"), "host 1");
  Site hop(Options{{"smtp_sasl_password_maps", "inline:{{example.com=hop:2}, {[a]:25=port:3}}"}});
  EXPECT_EQ(hop.find("", "Example.COM"), "hop 2");
  EXPECT_EQ(hop.find("", "[a]:25"), "port 3");
  EXPECT_EQ(hop.find("", "[a]"), "none");
  Site sender(Options{{"smtp_sender_dependent_authentication", "yes"},
                      {"recipient_delimiter", "+"},
                      {"smtp_sasl_password_maps",
                       "inline:{{mx.example.com=host:1}, {ann@example.org=ann:4}, {@example.net=net:5}}"}});
  EXPECT_EQ(sender.find("ann@example.org"), "ann 4");
  EXPECT_EQ(sender.find("ann+x@example.org"), "ann 4");
  EXPECT_EQ(sender.find("bob@example.net"), "net 5");
  EXPECT_EQ(sender.find("bob@example.org"), "host 1");
  EXPECT_EQ(sender.find(""), "host 1");
}

TEST(ClientLogins, EntriesAreDividedAtTheFirstDelimiter) {
  const struct {
    std::string_view table;
    std::string_view found;
  } cases[] = {{"static:ann:se:cret", "ann se:cret"}, {"static:ann", "ann "}, {"static:ann:", "ann "}};
  for (const auto& each : cases)
    EXPECT_EQ(Site(Options{{"smtp_sasl_password_maps", each.table}}).find(""), each.found) << each.table;
}

TEST(ClientLogins, ATableThatCannotTellIsAnError) {
  EXPECT_EQ(Site(Options{{"smtp_sasl_password_maps", "fail:x"}}).find(""), "error");
}

TEST(ClientLogins, MechanismsAreFiltered) {
  const struct {
    std::string_view filter;
    std::string_view left;
  } cases[] = {
      {"", "PLAIN LOGIN"}, {"login", "LOGIN"}, {"!login, static:rest", "PLAIN"}, {"!plain, !login", ""}};
  for (const auto& each : cases) {
    Site site(
        Options{{"smtp_sasl_password_maps", "static:a:b"}, {"smtp_sasl_mechanism_filter", each.filter}});
    const auto left = site.logins()->filter("PLAIN LOGIN");
    ASSERT_TRUE(left);
    EXPECT_EQ(*left, each.left) << each.filter;
  }
}

TEST(ClientLogins, OptionsOfEachChannel) {
  Site site(Options{{"smtp_sasl_password_maps", "static:a:b"},
                    {"smtp_sasl_security_options", "noplaintext"},
                    {"smtp_sasl_tls_security_options", "noanonymous"}});
  EXPECT_TRUE(site.logins()->options(LoginChannel::kPlain).noplaintext);
  EXPECT_FALSE(site.logins()->options(LoginChannel::kTls).noplaintext);
  EXPECT_TRUE(site.logins()->options(LoginChannel::kVerifiedTls).noanonymous);
}

}  // namespace
}  // namespace mta
