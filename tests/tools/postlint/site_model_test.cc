#include "tools/postlint/site_model.h"

#include <gtest/gtest.h>

#include "tests/tools/postlint/scratch_site.h"
#include "tools/postlint/table_store.h"

namespace postlint {
namespace {

std::string underlined(const SiteModel& site, const Place& place) {
  std::string_view text = site.source(place.file);
  for (int i = 1; i < place.line; ++i) text.remove_prefix(text.find('\n') + 1);
  return libconf::concat(std::to_string(place.line), " ",
                         text.substr(static_cast<std::size_t>(place.column - 1),
                                     static_cast<std::size_t>(place.end_column - place.column)));
}

TEST(SiteModelTest, FindsWordsThroughReferencesAndOptions) {
  const ScratchSite site({{"main.cf",
                           "mynetworks = 127.0.0.0/8,\n# more\n  $office\n"
                           "office = 192.0.2.0/24 198.51.100.0/24\n"
                           "mua = permit_sasl_authenticated,reject\n"},
                          {"master.cf",
                           "smtp inet n - n - - smtpd\n"
                           "submission inet n - n - - smtpd\n"
                           "  -o smtpd_helo_required=no\n"
                           "  -o smtpd_client_restrictions=$mua\n"
                           "  -o { mynetworks = 10.0.0.0/8 }\n"}});
  const libconf::Settings& settings = site->settings();
  EXPECT_EQ(underlined(*site, site->place_of(settings, "mynetworks", "127.0.0.0/8")), "1 127.0.0.0/8");
  EXPECT_EQ(underlined(*site, site->place_of(settings, "mynetworks", "198.51.100.0/24")),
            "4 198.51.100.0/24");
  EXPECT_EQ(underlined(*site, site->place_of(settings, "mynetworks", "absent")), "1 mynetworks");
  const libconf::Settings& submission = site->find_service("submission", "inet")->settings;
  EXPECT_EQ(underlined(*site, site->place_of(submission, "smtpd_client_restrictions", "reject")), "5 reject");
  EXPECT_EQ(underlined(*site, site->place_of(submission, "smtpd_helo_required", "no")), "3 no");
  EXPECT_EQ(underlined(*site, site->place_of(submission, "mynetworks", "10.0.0.0/8")), "5 10.0.0.0/8");
  EXPECT_EQ(site->place_of(settings, "relayhost").line, 0);
}

TEST(SiteModelTest, GoesOnBehindMalformedLines) {
  const ScratchSite site({{"main.cf", "no equals\nmyhostname = mail.example.org\n"},
                          {"master.cf", "smtp inet n\n  -o x=y\nsubmission inet n - n - - smtpd\n"}});
  EXPECT_EQ(value_of(site->settings(), "myhostname"), "mail.example.org");
  ASSERT_EQ(site->services().size(), 1U);
  EXPECT_EQ(site->services()[0].entry->line, 3);
}

TEST(SiteModelTest, GuessesWhatTheHostIsFor) {
  struct Case {
    std::string_view what, main_cf, master_cf;
    Profile profile;
  };
  for (const Case& c : {
           Case{"a mail exchanger", "mydestination = example.org\n", "smtp inet n - n - - smtpd\n",
                Profile::kMx},
           Case{"a null client",
                "relayhost = [gw.example.org]\ninet_interfaces = loopback-only\nmydestination =\n",
                "smtp inet n - n - - smtpd\n", Profile::kNullClient},
           Case{"submission", "mydestination = example.org\n", "submission inet n - n - - smtpd\n",
                Profile::kSubmission},
           Case{"a relay", "mydestination =\nrelay_domains = example.org\n", "smtp inet n - n - - smtpd\n",
                Profile::kRelay},
       }) {
    const ScratchSite site({{"main.cf", std::string(c.main_cf)}, {"master.cf", std::string(c.master_cf)}});
    EXPECT_EQ(profile_name(site->profile()), profile_name(c.profile)) << c.what;
  }
}

TEST(TableStoreTest, LocalizesTables) {
  const ScratchSite site({{"main.cf", ""}, {"senders", "a OK\n"}, {"clients", "192.0.2.0/24 OK\n"}});
  const TableStore& tables = site->tables();
  EXPECT_EQ(tables.localized("permit, check_sender_access hash:/etc/postfix/senders, reject"),
            libconf::concat("permit, check_sender_access texthash:", site.path("senders"), ", reject"));
  EXPECT_EQ(tables.localized("proxy:cidr:/etc/postfix/clients"),
            libconf::concat("cidr:", site.path("clients")));
  EXPECT_EQ(tables.localized("mysql:/etc/postfix/x.cf"), "inline:{postlint.invalid=DUNNO}");
  EXPECT_EQ(tables.localized("inet:127.0.0.1:25 static:OK"), "inet:127.0.0.1:25 static:OK");
}

}  // namespace
}  // namespace postlint
