#include "libmaps/domain_keys.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace libmaps {
namespace {

using Views = std::vector<std::string_view>;
using Strings = std::vector<std::string>;

TEST(DomainKeys, GoesUpToTheTopLevel) {
  EXPECT_EQ(domain_keys("a.example.com", ParentStyle::kDotted),
            (Views{"a.example.com", ".example.com", ".com"}));
  EXPECT_EQ(domain_keys("a.example.com", ParentStyle::kPlain),
            (Views{"a.example.com", "example.com", "com"}));
}

TEST(DomainKeys, KnowsNamesWithoutParents) {
  for (const ParentStyle style : {ParentStyle::kDotted, ParentStyle::kPlain}) {
    EXPECT_EQ(domain_keys("localhost", style), Views{"localhost"});
    EXPECT_EQ(domain_keys("[192.0.2.1]", style), Views{"[192.0.2.1]"});
    EXPECT_EQ(domain_keys("", style), Views{""});
  }
  EXPECT_EQ(domain_keys(".com", ParentStyle::kDotted), Views{".com"});
  EXPECT_EQ(domain_keys("com.", ParentStyle::kPlain), Views{"com."});
}

// access(5): "repeatedly truncating the last ".octet"", and the last ":octetpair" of the compressed form.
TEST(NetworkKeys, CutsPartAfterPart) {
  const auto keys = [](std::string_view text) { return network_keys(parse_ip_address(text).value()); };
  EXPECT_EQ(keys("192.0.2.1"), (Strings{"192.0.2.1", "192.0.2", "192.0", "192"}));
  EXPECT_EQ(keys("2001:0DB8:0:0:0:0:1:2"),
            (Strings{"2001:db8::1:2", "2001:db8::1", "2001:db8:", "2001:db8", "2001"}));
  EXPECT_EQ(keys("1:2:3:4:5:6:7:8").size(), 8U);
}

TEST(ParentStyle, ReadsTheListOfFeatures) {
  libconf::Settings settings(nullptr, {});
  EXPECT_EQ(parent_style(settings, "relay_domains").value(), ParentStyle::kPlain);
  EXPECT_EQ(parent_style(settings, "transport_maps").value(), ParentStyle::kDotted);
  settings.override_value("parent_domain_matches_subdomains", "transport_maps");
  EXPECT_EQ(parent_style(settings, "relay_domains").value(), ParentStyle::kDotted);
  EXPECT_EQ(parent_style(settings, "transport_maps").value(), ParentStyle::kPlain);
}

}  // namespace
}  // namespace libmaps
