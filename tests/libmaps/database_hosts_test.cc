#include "libmaps/database_hosts.h"

#include <gtest/gtest.h>

namespace libmaps {
namespace {

TEST(DatabaseHosts, AreRead) {
  struct Case {
    std::string_view text;
    std::string_view name;
    int port;
    bool is_local;
  };
  static constexpr Case kCases[] = {
      {"db1.example.com", "db1.example.com", 0, false},
      {"db1:3307", "db1", 3307, false},
      {"inet:db1:3307", "db1", 3307, false},
      {"inet:db1", "db1", 0, false},
      {"db1:smtp", "db1", 25, false},
      {"db1:0", "db1", 0, false},
      {"db1:65535", "db1", 65535, false},
      {"[::1]:3307", "::1", 3307, false},
      {"[2001:db8::1]", "2001:db8::1", 0, false},
      {"unix:/run/db.sock", "/run/db.sock", 0, true},
      {"unix:/run/db:1", "/run/db:1", 0, true},
  };
  for (const Case& c : kCases) {
    const auto hosts = parse_database_hosts(c.text);
    ASSERT_TRUE(hosts) << c.text << ": " << hosts.error().message;
    ASSERT_EQ(hosts->size(), 1u) << c.text;
    EXPECT_EQ(hosts->front().text, c.text);
    EXPECT_EQ(hosts->front().name, c.name) << c.text;
    EXPECT_EQ(hosts->front().port, c.port) << c.text;
    EXPECT_EQ(hosts->front().is_local, c.is_local) << c.text;
  }
}

TEST(DatabaseHosts, KeepTheirOrder) {
  const auto hosts = parse_database_hosts("a:1, unix:/b\n\tc ,d");
  ASSERT_TRUE(hosts);
  ASSERT_EQ(hosts->size(), 4u);
  EXPECT_EQ((*hosts)[0].text, "a:1");
  EXPECT_EQ((*hosts)[1].text, "unix:/b");
  EXPECT_EQ((*hosts)[2].text, "c");
  EXPECT_EQ((*hosts)[3].text, "d");
}

TEST(DatabaseHosts, AreThisHostWhenThereIsNone) {
  for (const std::string_view text : {"", " , "}) {
    const auto hosts = parse_database_hosts(text);
    ASSERT_TRUE(hosts);
    ASSERT_EQ(hosts->size(), 1u);
    EXPECT_EQ(hosts->front().name, "localhost");
  }
}

TEST(DatabaseHosts, RefuseWhatIsNoPort) {
  for (const std::string_view text :
       {"a:65536", "a:99999999999999999999", "a:-1", "a:no-such-service", "a:", "[::1]x", "b a:65536"}) {
    const auto hosts = parse_database_hosts(text);
    ASSERT_FALSE(hosts) << text;
    EXPECT_EQ(hosts.error().kind, libconf::ErrorKind::kConfiguration) << text;
  }
}

}  // namespace
}  // namespace libmaps
