#include "tools/mta/dns/hosts_file.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

std::string name_of(const HostsFile& hosts, std::string_view address) {
  return hosts.name_of(*libmaps::parse_ip_address(address)).value_or("(none)");
}

TEST(HostsFile, GivesTheFirstNameOfAnAddress) {
  const HostsFile hosts = HostsFile::parse(
      "# comment\n127.0.0.1\tlocalhost alias\n::1 ip6-localhost#comment\n192.0.2.1   host.example host\r\n"
      "127.0.0.1 another\n192.0.2.2\nno-address name\n192.0.2.3 last");
  const struct {
    std::string_view address;
    std::string_view name;
  } kCases[] = {
      {"127.0.0.1", "localhost"},    {"::1", "ip6-localhost"}, {"0:0::1", "ip6-localhost"},
      {"192.0.2.1", "host.example"}, {"192.0.2.2", "(none)"},  {"192.0.2.3", "last"},
      {"192.0.2.4", "(none)"},
  };
  for (const auto& [address, name] : kCases) EXPECT_EQ(name_of(hosts, address), name) << address;
}

TEST(HostsFile, AFileThatIsNotThereHasNoNames) {
  EXPECT_EQ(name_of(HostsFile::load("/nonexistent/hosts"), "127.0.0.1"), "(none)");
}

}  // namespace
}  // namespace mta
