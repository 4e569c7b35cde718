#include "libmaps/pgsql_hosts.h"

#include <gtest/gtest.h>

#include <random>

#include "libconf/text.h"

namespace libmaps {
namespace {

using libconf::concat;

TEST(PgsqlHosts, AreReadAsPostfixReadsThem) {
  struct Case {
    std::string_view text;
    std::string_view name;
    std::string_view port;
    bool is_local;
  };
  // The prefixes say nothing: observed with Postfix 3.7.
  static constexpr Case kCases[] = {
      {"db1.example.com", "db1.example.com", "", false},
      {"db1:5433", "db1", "5433", false},
      {"inet:db1:5433", "db1", "5433", false},
      {"unix:db1:5433", "db1", "5433", false},
      {"db1:", "db1", "", false},
      {"db1:smtp", "db1", "smtp", false},
      {"::1:5433", "::1", "5433", false},
      {"[::1]:5433", "::1", "5433", false},
      {"[::1]", "::1", "", false},
      {"[2001:db8::1]", "2001:db8::1", "", false},
      {"unix:/run/postgresql", "/run/postgresql", "", true},
      {"/run/postgresql", "/run/postgresql", "", true},
      {"inet:/run/postgresql", "/run/postgresql", "", true},
      {"unix:/run/postgresql:5433", "/run/postgresql:5433", "", true},
      {":5433", "", "5433", true},
      {"unix:", "", "", true},
  };
  for (const Case& c : kCases) {
    const std::vector<PgsqlHost> hosts = parse_pgsql_hosts(c.text);
    ASSERT_EQ(hosts.size(), 1u) << c.text;
    EXPECT_EQ(hosts[0].text, c.text);
    EXPECT_EQ(hosts[0].name, c.name) << c.text;
    EXPECT_EQ(hosts[0].port, c.port) << c.text;
    EXPECT_EQ(hosts[0].is_local, c.is_local) << c.text;
    EXPECT_EQ(hosts[0].uri, "") << c.text;
  }
}

TEST(PgsqlHosts, AreSeparatedByBlanksAndCommas) {
  const std::vector<PgsqlHost> hosts = parse_pgsql_hosts("a:1, unix:/b\n\tpostgresql://c/d ,e");
  ASSERT_EQ(hosts.size(), 4u);
  EXPECT_EQ(hosts[0].name, "a");
  EXPECT_EQ(hosts[1].name, "/b");
  EXPECT_EQ(hosts[2].uri, "postgresql://c/d");
  EXPECT_EQ(hosts[2].name, "");
  EXPECT_FALSE(hosts[2].is_local);
  EXPECT_EQ(hosts[3].name, "e");
}

TEST(PgsqlHosts, HaveARootIfTheyArePaths) {
  const std::vector<PgsqlHost> hosts = parse_pgsql_hosts("unix:/a b:1 postgresql:///mail?host=/a", "/queue");
  ASSERT_EQ(hosts.size(), 3u);
  EXPECT_EQ(hosts[0].root, "/queue");
  EXPECT_EQ(hosts[0].name, "/a");
  EXPECT_EQ(hosts[1].root, "");
  EXPECT_EQ(hosts[2].root, "");
}

TEST(PgsqlHosts, AreThisHostWhenThereIsNone) {
  for (const std::string_view text : {"", " , "}) {
    const std::vector<PgsqlHost> hosts = parse_pgsql_hosts(text);
    ASSERT_EQ(hosts.size(), 1u);
    EXPECT_EQ(hosts[0].name, "localhost");
    EXPECT_EQ(hosts[0].text, "localhost");
  }
}

TEST(PgsqlHosts, UrisAreShownWithoutSecrets) {
  static constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"postgresql://mail:secret@db1:5433/mail", "postgresql://mail@db1"},
      {"postgres://mail@db1/mail?sslmode=require", "postgres://mail@db1"},
      {"postgresql://db1/mail?user=mail&password=secret", "postgresql://db1"},
      {"postgresql://db1:5432", "postgresql://db1"},
      {"postgresql://mail:secret@[::1]:5433/mail", "postgresql://mail@[::1]"},
      {"postgresql://[::1]:5433/mail", "postgresql://[::1]"},
      {"postgresql://mail:secret@%2Frun%2Fpostgresql/mail", "postgresql://mail@%2Frun%2Fpostgresql"},
      {"postgresql:///mail", "postgresql://"},
      {"postgresql://", "postgresql://"},
      {"postgresql://:secret@db1", "postgresql://@db1"},
      // Passwords with characters that should have been escaped.
      {"postgresql://mail:sec@ret@db1/mail", "postgresql://mail@db1"},
      {"postgresql://mail:sec/ret@db1/mail", "postgresql://mail"},
      {"postgresql://mail:sec?ret@db1/mail", "postgresql://mail"},
      {"postgresql://mail:sec#ret@db1/mail", "postgresql://mail"},
      {"postgresql://mail:s@ec/ret@db1/mail", "postgresql://mail"},
      {"postgresql://mail:secret", "postgresql://mail"},
      {"postgresql://mail@db1/mail?password=s@ecret", "postgresql://mail"},
  };
  for (const auto& [uri, shown] : kCases) EXPECT_EQ(redact_pgsql_uri(uri), shown) << uri;
}

TEST(PgsqlHosts, NoPartOfAPasswordIsEverShown) {
  constexpr std::string_view kAlphabet = "XYZ:@/?#[]%&=";
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string password;
    for (std::size_t length = 1 + random() % 8; length > 0; --length)
      password += kAlphabet[random() % kAlphabet.size()];
    const std::string uri = concat("postgresql://user:", password, "@host:1/base");
    const std::string shown = redact_pgsql_uri(uri);
    EXPECT_EQ(shown.find_first_of("XYZ"), std::string::npos) << uri << " is shown as " << shown;
  }
}

TEST(HidePassword, ReplacesWhatMayBeAPartOfIt) {
  struct Case {
    std::string_view connection;
    std::string_view message;
    std::string_view shown;
  };
  static constexpr Case kCases[] = {
      {"postgresql://mail:s%zz@db1", "invalid percent-encoded token: \"s%zz\"\n",
       "invalid percent-encoded token: \"...\"\n"},
      {"postgresql://mail:pa/ss@db1", "invalid integer value \"pa\" for connection option \"port\"\n",
       "invalid integer value \"...\" for connection option \"port\"\n"},
      {"postgresql://mail:secret@db1:5x/mail",
       "invalid integer value \"5x\" for connection option \"port\"\n",
       "invalid integer value \"5x\" for connection option \"port\"\n"},
      {"postgresql://mail:secret@db1/mail", "FATAL:  password authentication failed for user \"mail\"\n",
       "FATAL:  password authentication failed for user \"mail\"\n"},
      {"postgresql://db1/mail?password=%zz", "invalid percent-encoded token: \"%zz\"\n",
       "invalid percent-encoded token: \"...\"\n"},
      {"user=mail password=top secret", "missing \"=\" after \"secret\" in connection info string\n",
       "missing \"=\" after \"...\" in connection info string\n"},
      {"user=mail dbname", "missing \"=\" after \"dbname\" in connection info string\n",
       "missing \"=\" after \"dbname\" in connection info string\n"},
      {"mail", "FATAL:  database \"mail\" does not exist\n", "FATAL:  database \"mail\" does not exist\n"},
      {"password=x", "an odd \" quote", "an odd \" quote"},
  };
  for (const Case& c : kCases) EXPECT_EQ(hide_password(c.message, c.connection), c.shown) << c.connection;
}

}  // namespace
}  // namespace libmaps
