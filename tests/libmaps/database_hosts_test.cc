#include "libmaps/database_hosts.h"

#include <gtest/gtest.h>

namespace libmaps {
namespace {

// What Postfix 3.7 connects to, or says.
TEST(DatabaseHosts, ReadsEachForm) {
  static constexpr struct {
    std::string_view text;
    bool is_local;
    std::string_view name;
    int port;
  } kCases[] = {
      {"db.example.com", false, "db.example.com", 0},
      {"db.example.com:3307", false, "db.example.com", 3307},
      {"inet:db.example.com:3307", false, "db.example.com", 3307},
      {"inet:db.example.com:smtp", false, "db.example.com", 25},
      {"inet:::1:3307", false, "::1", 3307},
      {"inet:a:b:3307", false, "a:b", 3307},
      {"inet:", false, "", 0},
      {":3307", false, "", 3307},
      {"unix:/run/db.sock", true, "/run/db.sock", 0},
      {"unix:/run/db.sock:3307", true, "/run/db.sock", 3307},
      // Beyond Postfix.
      {"[::1]", false, "::1", 0},
      {"inet:[::1]:3307", false, "::1", 3307},
  };
  for (const auto& [text, is_local, name, port] : kCases) {
    const auto hosts = parse_database_hosts(text);
    ASSERT_TRUE(hosts && hosts->size() == 1) << text;
    EXPECT_EQ(hosts->front().text, text);
    EXPECT_EQ(hosts->front().is_local, is_local) << text;
    EXPECT_EQ(hosts->front().name, name) << text;
    EXPECT_EQ(hosts->front().port, port) << text;
  }
}

TEST(DatabaseHosts, RefusesBadPorts) {
  static constexpr struct {
    std::string_view text;
    std::string_view message;
  } kCases[] = {
      {"db:99999", "bad port number: 99999"},
      {"db:99999999999999999999", "bad port number: 99999999999999999999"},
      {"db:0", "unknown service: 0/tcp"},
      {"db:-1", "unknown service: -1/tcp"},
      {"db:", "unknown service: /tcp"},
      {"db:no-such-service", "unknown service: no-such-service/tcp"},
      {"inet:unix:/run/db.sock", "unknown service: /run/db.sock/tcp"},
      {"[::1]x", "bad host: [::1]x"},
  };
  for (const auto& [text, message] : kCases) {
    const auto hosts = parse_database_hosts(text);
    ASSERT_FALSE(hosts) << text;
    EXPECT_EQ(hosts.error().kind, libconf::ErrorKind::kConfiguration) << text;
    EXPECT_EQ(hosts.error().message, message) << text;
  }
}

TEST(DatabaseHosts, KeepsTheOrderOfAList) {
  const auto hosts = parse_database_hosts("unix:/a, b:1\tc");
  ASSERT_TRUE(hosts);
  ASSERT_EQ(hosts->size(), 3u);
  EXPECT_EQ((*hosts)[0].name, "/a");
  EXPECT_EQ((*hosts)[1].port, 1);
  EXPECT_EQ((*hosts)[2].text, "c");
}

TEST(DatabaseHosts, HaveARootIfTheyArePaths) {
  const auto hosts = parse_database_hosts("unix:/a, b", "/queue");
  ASSERT_TRUE(hosts && hosts->size() == 2);
  EXPECT_EQ((*hosts)[0].root, "/queue");
  EXPECT_EQ((*hosts)[0].name, "/a");
  EXPECT_EQ((*hosts)[1].root, "");
}

TEST(DatabaseHosts, AreThisHostWhenNoneIsNamed) {
  const auto hosts = parse_database_hosts(" ");
  ASSERT_TRUE(hosts && hosts->size() == 1);
  EXPECT_EQ(hosts->front().name, "localhost");
}

}  // namespace
}  // namespace libmaps
