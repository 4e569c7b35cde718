// virtual(5); what it leaves open is as a stock Postfix does it.
#include "tools/mta/address/virtual_alias.h"

#include <gtest/gtest.h>

#include "tests/tools/mta/address_settings.h"

namespace mta {
namespace {

using libconf::ErrorKind;
using Strings = std::vector<std::string>;

constexpr const char* kTable =
    "inline:{{a@x.y=b@x.y, c@x.y},{b@x.y=d@x.y},{d@x.y=d@x.y},{m@x.y=m@x.y, n@x.y},{l1@x.y=l2@x.y},"
    "{l2@x.y=l1@x.y},{u=uu},{at@x.y=k@x.y, @other.z},{@dom.d=@new.d, other@z.z},{grow@x.y=grow+a@x.y},"
    "{grp@x.y=g: h@x.y, i@x.y;},{x@x.y=y@x.y, z@x.y},{y@x.y=p@x.y, q@x.y},{ex@x.y=e@x.y, f@x.y, g@x.y}}";

libconf::Result<Strings> expanded(AddressSettings& settings, const char* address) {
  auto aliases = VirtualAliases::from(settings.context(), settings.rewriting(), settings.domains());
  EXPECT_TRUE(aliases);
  const auto recipients = aliases->expand({.address = address, .original = "o"});
  if (!recipients) return recipients.error();
  Strings out;
  for (const EnvelopeRecipient& each : *recipients) out.push_back(each.address);
  return out;
}

TEST(VirtualAliases, Expand) {
  AddressSettings settings({{"virtual_alias_maps", kTable}});
  const std::pair<const char*, Strings> cases[] = {
      {"zz@x.y", {"zz@x.y"}},
      {"a@x.y", {"d@x.y", "c@x.y"}},
      {"a+e@x.y", {"d+e@x.y", "c+e@x.y"}},
      {"m+e@x.y", {"m+e@x.y", "n+e@x.y"}},
      {"u+e@l.x", {"uu+e@o.example"}},
      {"u@other.x", {"u@other.x"}},
      {"grp@x.y", {"h@x.y", "i@x.y"}},
      {"x@x.y", {"p@x.y", "z@x.y", "q@x.y"}},
      // "This works only for the first address in a multi-address lookup result."
      {"k@dom.d", {"k@new.d", "other@z.z"}},
  };
  for (const auto& [address, expected] : cases) EXPECT_EQ(*expanded(settings, address), expected) << address;
}

TEST(VirtualAliases, KeepTheOriginals) {
  AddressSettings settings({{"virtual_alias_maps", kTable}});
  auto aliases = VirtualAliases::from(settings.context(), settings.rewriting(), settings.domains());
  ASSERT_TRUE(aliases);
  const EnvelopeRecipient recipient{
      .address = "a@x.y", .original = "A@x.y", .dsn_original = "rfc822;x@y", .dsn_notify = 2};
  const auto recipients = aliases->expand(recipient);
  ASSERT_TRUE(recipients);
  for (EnvelopeRecipient each : *recipients) {
    each.address = recipient.address;
    EXPECT_EQ(each, recipient);
  }
}

TEST(VirtualAliases, HaveLimits) {
  struct Case {
    const char* address;
    const char* recursion;
    const char* expansion;
    const char* message;
  };
  const Case cases[] = {
      {"l1@x.y", "1000", "1000", "unreasonable virtual_alias_maps map nesting for l1@x.y"},
      {"a@x.y", "2", "1000", "unreasonable virtual_alias_maps map nesting for a@x.y"},
      {"b@x.y", "1", "1000", "unreasonable virtual_alias_maps map nesting for b@x.y"},
      {"ex@x.y", "1000", "2", "unreasonable virtual_alias_maps map expansion size for ex@x.y"},
      {"x@x.y", "1000", "2", "unreasonable virtual_alias_maps map expansion size for x@x.y"},
      {"b@x.y", "2", "1", nullptr},
      {"d@x.y", "1", "1", nullptr},
      {"zz@x.y", "1", "1", nullptr},
      {"a@x.y", "3", "2", nullptr},
  };
  for (const Case& c : cases) {
    AddressSettings settings({{"virtual_alias_maps", kTable},
                              {"virtual_alias_recursion_limit", c.recursion},
                              {"virtual_alias_expansion_limit", c.expansion}});
    const auto result = expanded(settings, c.address);
    ASSERT_EQ(result.has_value(), c.message == nullptr) << c.address;
    if (result) continue;
    EXPECT_EQ(result.error().message, c.message);
    EXPECT_EQ(result.error().kind, ErrorKind::kConfiguration);
  }
  AddressSettings settings({{"virtual_alias_maps", kTable}});
  const auto grown = expanded(settings, "grow@x.y");
  ASSERT_FALSE(grown);
  EXPECT_TRUE(grown.error().message.starts_with("unreasonable virtual_alias_maps result grow+a+a"));
  EXPECT_TRUE(grown.error().message.ends_with("..."));
}

TEST(VirtualAliases, CannotTellWhenATableCannot) {
  AddressSettings settings({{"virtual_alias_maps", "inline:{a@x.y=b@x.y} fail:x"}});
  for (const char* address : {"a@x.y", "zz@x.y"}) {
    const auto result = expanded(settings, address);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::kTemporary) << address;
  }
}

}  // namespace
}  // namespace mta
