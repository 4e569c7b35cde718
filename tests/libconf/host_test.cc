#include "libconf/host.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace libconf {
namespace {

TEST(HostNames, DefaultMyhostname) {
  struct Case {
    const char* host_name;
    const char* domain;
    const char* expected;
  };
  for (const Case& c :
       {Case{"a.example.com", "", "a.example.com"}, Case{"a.example.com", "x.org", "a.example.com"},
        Case{"a", "", "a.localdomain"}, Case{"a", "x.org", "a.x.org"}})
    EXPECT_EQ(default_myhostname(c.host_name, c.domain), c.expected) << c.host_name << " " << c.domain;
}

TEST(HostNames, DefaultMydomain) {
  struct Case {
    const char* myhostname;
    const char* expected;
  };
  for (const Case& c : {Case{"mail.example.com", "example.com"}, Case{"a.b", "b"}, Case{"a", "localdomain"},
                        Case{"", "localdomain"}, Case{"mail.", ""}})
    EXPECT_EQ(default_mydomain(c.myhostname), c.expected) << c.myhostname;
}

Host host_with(std::vector<InterfaceAddress> interfaces) {
  Host host;
  host.interfaces = [interfaces]() -> Result<std::vector<InterfaceAddress>> { return interfaces; };
  host.resolve = [](const std::string&) { return std::vector<std::vector<std::uint8_t>>{}; };
  return host;
}

std::vector<std::uint8_t> ipv6(std::initializer_list<std::uint8_t> begin) {
  std::vector<std::uint8_t> out(begin);
  out.resize(16);
  return out;
}

struct NetworkCase {
  const char* name;
  InterfaceAddress address;
  const char* host;
  const char* subnet;
  const char* network_class;
};

// postconf(5), mynetworks_style.
TEST(DefaultMynetworks, MasksOfEachStyle) {
  const NetworkCase cases[] = {
      {"class A", {{10, 1, 2, 3}, 24}, "10.1.2.3/32", "10.1.2.0/24", "10.0.0.0/8"},
      {"end of class A", {{127, 255, 0, 1}, 8}, "127.255.0.1/32", "127.0.0.0/8", "127.0.0.0/8"},
      {"class B", {{172, 16, 5, 129}, 25}, "172.16.5.129/32", "172.16.5.128/25", "172.16.0.0/16"},
      {"class C", {{192, 168, 1, 1}, 30}, "192.168.1.1/32", "192.168.1.0/30", "192.168.1.0/24"},
      {"odd prefix", {{10, 255, 255, 255}, 13}, "10.255.255.255/32", "10.248.0.0/13", "10.0.0.0/8"},
      {"prefix 0", {{10, 1, 2, 3}, 0}, "10.1.2.3/32", "0.0.0.0/0", "10.0.0.0/8"},
      {"prefix 32", {{203, 0, 113, 9}, 32}, "203.0.113.9/32", "203.0.113.9/32", "203.0.113.0/24"},
      {"IPv6",
       {ipv6({0x20, 0x01, 0x0d, 0xb8, 0, 1, 0xff}), 49},
       "[2001:db8:1:ff00::]/128",
       "[2001:db8:1:8000::]/49",
       "[2001:db8:1:8000::]/49"},
      {"IPv6, whole", {ipv6({0xfd}), 128}, "[fd00::]/128", "[fd00::]/128", "[fd00::]/128"},
  };
  for (const NetworkCase& c : cases) {
    SCOPED_TRACE(c.name);
    const Host host = host_with({c.address});
    EXPECT_EQ(*default_mynetworks({"all", "all", "host"}, host), c.host);
    EXPECT_EQ(*default_mynetworks({"all", "all", "subnet"}, host), c.subnet);
    EXPECT_EQ(*default_mynetworks({"all", "all", "class"}, host), c.network_class);
  }
}

TEST(DefaultMynetworks, EachNetworkOnce) {
  const Host host = host_with({{{10, 0, 0, 1}, 24}, {{10, 0, 0, 2}, 24}, {{10, 0, 1, 1}, 24}});
  EXPECT_EQ(*default_mynetworks({"all", "ipv4", "subnet"}, host), "10.0.0.0/24 10.0.1.0/24");
  EXPECT_EQ(*default_mynetworks({"all", "ipv4", "class"}, host), "10.0.0.0/8");
}

TEST(DefaultMynetworks, NoInterfaces) {
  EXPECT_EQ(*default_mynetworks({"all", "all", "subnet"}, host_with({})), "");
  EXPECT_EQ(*default_mynetworks({"loopback-only", "all", "subnet"}, host_with({})), "");
}

TEST(SystemHost, AnswersWithoutANetwork) {
  const Host host = system_host();
  EXPECT_FALSE(host.name.empty());
  const auto interfaces = host.interfaces();
  ASSERT_TRUE(interfaces) << interfaces.error().message;
  for (const InterfaceAddress& address : *interfaces) {
    EXPECT_TRUE(address.address.size() == 4 || address.address.size() == 16);
    EXPECT_GE(address.prefix_length, 0);
    EXPECT_LE(address.prefix_length, static_cast<int>(address.address.size()) * 8);
  }
  const std::vector<std::vector<std::uint8_t>> expected = {{127, 0, 0, 1}};
  EXPECT_EQ(host.resolve("127.0.0.1"), expected);
}

}  // namespace
}  // namespace libconf
