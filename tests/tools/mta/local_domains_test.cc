#include "tools/mta/address/local_domains.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/tools/mta/address_settings.h"
#include "tools/mta/address/domain_syntax.h"

namespace mta {
namespace {

// ADDRESS_CLASS_README, "The local domain class".
TEST(LocalDomains, AreDestinationsAndOwnAddresses) {
  AddressSettings all({{"proxy_interfaces", "192.0.2.9"}});
  for (const char* domain : {"h.example.com", "L.X", "[127.0.0.1]", "[192.0.2.1]", "[192.0.2.9]"})
    EXPECT_TRUE(*all.domains()->has(domain)) << domain;
  for (const char* domain : {"o.example", "sub.l.x", "", "[192.0.2.2]", "127.0.0.1", "[IPv6:::1]"})
    EXPECT_FALSE(*all.domains()->has(domain)) << domain;

  AddressSettings loopback({{"inet_interfaces", "loopback-only"}});
  EXPECT_TRUE(*loopback.domains()->has("[127.0.0.1]"));
  EXPECT_FALSE(*loopback.domains()->has("[192.0.2.1]"));

  AddressSettings named({{"inet_interfaces", "[192.0.2.9]"}});
  EXPECT_TRUE(*named.domains()->has("[192.0.2.9]"));
  EXPECT_FALSE(*named.domains()->has("[127.0.0.1]"));

  AddressSettings other_protocol({{"inet_protocols", "ipv6"}});
  EXPECT_FALSE(*other_protocol.domains()->has("[127.0.0.1]"));
}

// virtual(5): "when site is equal to $myorigin, when site is listed in $mydestination, or ..."
TEST(LocalDomains, MakeTheSiteWithTheOrigin) {
  AddressSettings settings({});
  for (const char* domain : {"O.example", "l.x", "[192.0.2.1]"})
    EXPECT_TRUE(*settings.domains()->is_site(domain)) << domain;
  EXPECT_FALSE(*settings.domains()->is_site("d.x"));
}

TEST(LocalDomains, CannotTellWhenATableCannot) {
  AddressSettings settings({{"mydestination", "l.x, fail:x"}});
  EXPECT_TRUE(*settings.domains()->has("l.x"));
  const auto result = settings.domains()->has("d.x");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, libconf::ErrorKind::kTemporary);
}

// RFC 1123, section 2.1; RFC 5321, section 4.1.3.
TEST(DomainSyntax, TellsWhatMailCanBeSentTo) {
  const std::string label(63, 'a');
  for (const std::string& domain :
       {std::string("d"), std::string("a.b-c.d_e"), std::string("0x10"), std::string("1.2.3.a"), label + ".x",
        std::string("[192.0.2.1]"), std::string("[IPv6:2001:db8::1]"), std::string("[ipv6:::1]")})
    EXPECT_TRUE(is_mail_domain(domain, false)) << domain;
  for (const std::string& domain : {std::string(),
                                    std::string("."),
                                    std::string("a."),
                                    std::string(".a"),
                                    std::string("a..b"),
                                    std::string("-a"),
                                    std::string("a-"),
                                    std::string("a.-b"),
                                    std::string("1.2.3.4"),
                                    std::string("12"),
                                    std::string("a b"),
                                    std::string("a:25"),
                                    label + "a.x",
                                    label + "." + label + "." + label + "." + label + ".x",
                                    std::string("\xc3\xa9.x"),
                                    std::string("[]"),
                                    std::string("[::1]"),
                                    std::string("[1.2.3]"),
                                    std::string("[192.0.2.1"),
                                    std::string("[IPv6:1.2.3.4]")})
    EXPECT_FALSE(is_mail_domain(domain, false)) << domain;
  EXPECT_TRUE(is_mail_domain("\xc3\xa9.x", true));
  EXPECT_FALSE(is_mail_domain("\xe9.x", true));
}

}  // namespace
}  // namespace mta
