#include "libmaps/ip_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <random>
#include <string>
#include <vector>

#include "libmaps/network_pattern.h"

namespace libmaps {
namespace {

TEST(ParseIpv4, AcceptsFourDecimalOctets) {
  EXPECT_EQ(parse_ipv4("192.0.2.1"), Ipv4Address{0xC0000201});
  EXPECT_EQ(parse_ipv4("0.0.0.0"), Ipv4Address{0});
  EXPECT_EQ(parse_ipv4("255.255.255.255"), Ipv4Address{0xFFFFFFFF});
}

TEST(ParseIpv4, RefusesEverythingElse) {
  for (const char* text :
       {"",          "1",         "1.2.3",      "1.2.3.",     "1.2.3.4.", "1.2.3.4.5",  "1.2.3.256",
        "300.1.2.3", "010.1.1.1", "192.0.02.1", "00.0.0.0",   "1..2.3",   ".1.2.3",     "1.2.3.0x1",
        "1.2.3.4 ",  " 1.2.3.4",  "[1.2.3.4]",  "1.2.3.4/32", "1.2.3.-4", "1.2.3.0004", "::1.2.3.4"})
    EXPECT_FALSE(parse_ipv4(text)) << text;
}

TEST(ParseIpv6, AcceptsEachForm) {
  const std::pair<const char*, Ipv6Address> cases[] = {
      {"::", {0, 0}},
      {"::1", {0, 1}},
      {"1::", {0x0001'0000'0000'0000, 0}},
      {"2001:DB8::a", {0x2001'0db8'0000'0000, 0xa}},
      {"2001:0db8:0::5", {0x2001'0db8'0000'0000, 5}},
      {"1:2:3:4:5:6:7:8", {0x0001'0002'0003'0004, 0x0005'0006'0007'0008}},
      {"1:2:3:4:5:6:7::", {0x0001'0002'0003'0004, 0x0005'0006'0007'0000}},
      {"::2:3:4:5:6:7:8", {0x0000'0002'0003'0004, 0x0005'0006'0007'0008}},
      {"::ffff:192.0.2.1", {0, 0xffff'c000'0201}},
      {"1:2:3:4:5:6:1.2.3.4", {0x0001'0002'0003'0004, 0x0005'0006'0102'0304}},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(parse_ipv6(text), expected) << text;
}

TEST(ParseIpv6, RefusesEverythingElse) {
  for (const char* text : {"",
                           ":",
                           ":::",
                           ":1",
                           "1:",
                           "1",
                           "00001::",
                           "1::8::9",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7:8::",
                           "::1:2:3:4:5:6:7:8",
                           "1:2:3:4::5:6:7:8",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "1::2:3:4:5:6:1.2.3.4",
                           "::1.2.3.04",
                           "1.2.3.4::",
                           "::1.2.3.4:5",
                           "::g",
                           "::1%lo",
                           "[::1]",
                           "::1/128"})
    EXPECT_FALSE(parse_ipv6(text)) << text;
}

std::optional<Ipv4Address> system_ipv4(const std::string& text) {
  in_addr address{};
  if (::inet_pton(AF_INET, text.c_str(), &address) != 1) return std::nullopt;
  return Ipv4Address{::ntohl(address.s_addr)};
}

std::optional<Ipv6Address> system_ipv6(const std::string& text) {
  in6_addr address{};
  if (::inet_pton(AF_INET6, text.c_str(), &address) != 1) return std::nullopt;
  Ipv6Address out;
  for (std::size_t i = 0; i < 8; ++i) {
    out.high = out.high << 8 | address.s6_addr[i];
    out.low = out.low << 8 | address.s6_addr[i + 8];
  }
  return out;
}

// Texts made of the pieces of addresses, so that many are valid and the others nearly so.
TEST(ParseIpAddress, AgreesWithInetPton) {
  const std::vector<std::string> pieces = {"0",    "1",  "00",  "7", "25", "255", "256",  "099", "1000",
                                           "ffff", "a0", "DB8", ".", ".",  ".",   ":",    ":",   ":",
                                           ":",    "::", "g",   "/", "%",  "[",   "12345"};
  std::mt19937 random(20260701);
  int valid = 0;
  for (int round = 0; round < 400000; ++round) {
    std::string text;
    if (round % 2 == 0) {
      for (std::size_t count = random() % 18; count > 0; --count) text += pieces[random() % pieces.size()];
    } else {
      // An address with at most one change.
      text = round % 4 == 1 ? to_string(Ipv4Address{static_cast<std::uint32_t>(random())})
                            : to_string(Ipv6Address{std::uint64_t{random()} << (random() % 33), random()});
      if (random() % 2 == 0)
        text.replace(random() % text.size(), random() % 2, pieces[random() % pieces.size()]);
    }
    ASSERT_EQ(parse_ipv4(text), system_ipv4(text)) << text;
    ASSERT_EQ(parse_ipv6(text), system_ipv6(text)) << text;
    valid += parse_ip_address(text) ? 1 : 0;
  }
  EXPECT_GT(valid, 100000);
}

TEST(IpAddress, PrintsWhatItReads) {
  std::mt19937 random(7);
  for (int round = 0; round < 10000; ++round) {
    const Ipv4Address ipv4{static_cast<std::uint32_t>(random())};
    EXPECT_EQ(parse_ipv4(to_string(ipv4)), ipv4);
    const Ipv6Address ipv6{std::uint64_t{random()} << 32 | random(), random() % 3};
    EXPECT_EQ(parse_ipv6(to_string(ipv6)), ipv6);
  }
}

TEST(IpNetwork, MasksAtEveryLength) {
  EXPECT_EQ(prefix_mask(Ipv4Address{}, 0), Ipv4Address{0});
  EXPECT_EQ(prefix_mask(Ipv4Address{}, 1), Ipv4Address{0x80000000});
  EXPECT_EQ(prefix_mask(Ipv4Address{}, 32), Ipv4Address{0xFFFFFFFF});
  EXPECT_EQ(prefix_mask(Ipv6Address{}, 0), (Ipv6Address{0, 0}));
  EXPECT_EQ(prefix_mask(Ipv6Address{}, 64), (Ipv6Address{~0ULL, 0}));
  EXPECT_EQ(prefix_mask(Ipv6Address{}, 65), (Ipv6Address{~0ULL, 1ULL << 63}));
  EXPECT_EQ(prefix_mask(Ipv6Address{}, 128), (Ipv6Address{~0ULL, ~0ULL}));
}

TEST(IpAddress, StepsAcrossTheHalves) {
  EXPECT_EQ(next(Ipv6Address{5, ~0ULL}), (Ipv6Address{6, 0}));
  EXPECT_EQ(previous(Ipv6Address{6, 0}), (Ipv6Address{5, ~0ULL}));
  EXPECT_EQ(next(Ipv4Address{0xFF}), Ipv4Address{0x100});
}

TEST(NetworkPattern, ReadsAddressesAndNetworks) {
  const IpNetwork<Ipv4Address> ten{{0x0A000000}, 8};
  const IpNetwork<Ipv6Address> documentation{{0x2001'0db8'0000'0000, 0}, 32};
  const std::pair<const char*, NetworkPattern> cases[] = {
      {"10.0.0.0/8", ten},
      {"10.0.0.0/008", ten},
      {"[10.0.0.0]/8", ten},
      {"[10.0.0.0/8]", ten},
      {"0.0.0.0/0", IpNetwork<Ipv4Address>{{}, 0}},
      {"10.0.0.0", IpNetwork<Ipv4Address>{{0x0A000000}, 32}},
      {"2001:DB8::/32", documentation},
      {"[2001:db8:0::]/32", documentation},
      {"[::1]", IpNetwork<Ipv6Address>{{0, 1}, 128}},
  };
  for (const auto& [text, expected] : cases) {
    const auto pattern = parse_network_pattern(text);
    ASSERT_TRUE(pattern) << text << ": " << pattern.error().message;
    EXPECT_EQ(*pattern, expected) << text;
  }
}

// Seen on postmap -q with a cidr: table, each of them.
TEST(NetworkPattern, NamesWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"nonsense", R"(bad address pattern: "nonsense")"},
      {"300.1.2.3", R"(bad address pattern: "300.1.2.3")"},
      {"192.0.02.1", R"(bad address pattern: "192.0.02.1")"},
      {"10.0.0.1]", R"(bad address pattern: "10.0.0.1]")"},
      {"::1%lo", R"(bad address pattern: "::1%lo")"},
      {"[]", R"(bad address pattern: "")"},
      {"[10.0.0.1", R"(missing ']' character after "[10.0.0.1")"},
      {"[", R"(missing ']' character after "[")"},
      {"[10.0.0.1]x", R"(garbage after "[10.0.0.1]")"},
      {"[[10.0.0.1]]", R"(garbage after "[[10.0.0.1]")"},
      {"[10.0.0.1]/", R"(bad mask value in "10.0.0.1/")"},
      {"[]/8", R"(bad network value in "/8")"},
      {"[10.0.0.0/8]/8", R"(bad network value in "10.0.0.0/8/8")"},
      {"10.0.0.0/8/2", R"(bad mask value in "10.0.0.0/8/2")"},
      {"10.0.0.0/+8", R"(bad mask value in "10.0.0.0/+8")"},
      {"foo/x", R"(bad mask value in "foo/x")"},
      {"foo/99", R"(bad mask length in "foo/99")"},
      {"foo/8", R"(bad network value in "foo/8")"},
      {"010.0.0.0/8", R"(bad network value in "010.0.0.0/8")"},
      {"192.0.2/24", R"(bad network value in "192.0.2/24")"},
      {"10.0.0.0/33", R"(bad mask length in "10.0.0.0/33")"},
      {"10.0.0.0/99999999999999999999999", R"(bad mask length in "10.0.0.0/99999999999999999999999")"},
      {"2001:db8::/129", R"(bad mask length in "2001:db8::/129")"},
      {"192.0.2.1/24",
       R"(non-null host address bits in "192.0.2.1/24", perhaps you should use "192.0.2.0/24" instead)"},
      {"10.0.0.0/0",
       R"(non-null host address bits in "10.0.0.0/0", perhaps you should use "0.0.0.0/0" instead)"},
      {"[1::1]/064", R"(non-null host address bits in "1::1/064", perhaps you should use "1::/64" instead)"},
      {"::ffff:1.2.3.4/100", R"(non-null host address bits in "::ffff:1.2.3.4/100", perhaps you should use )"
                             R"("::ffff:0.0.0.0/100" instead)"},
  };
  for (const auto& [text, message] : cases) {
    const auto pattern = parse_network_pattern(text);
    ASSERT_FALSE(pattern) << text;
    EXPECT_EQ(pattern.error().message, message);
  }
}

}  // namespace
}  // namespace libmaps
