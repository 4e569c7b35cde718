// canonical(5), ADDRESS_REWRITING_README; what they leave open is as a stock Postfix does it.
#include "tools/mta/address/canonical.h"

#include <gtest/gtest.h>

#include "tests/tools/mta/address_settings.h"
#include "tools/mta/address/masquerade.h"

namespace mta {
namespace {

using enum AddressRole;

std::string mapped(AddressSettings& settings, AddressRole role, const char* address) {
  auto canonical = CanonicalMapping::from(settings.context(), settings.rewriting(), settings.domains());
  EXPECT_TRUE(canonical) << canonical.error().message;
  const auto result = canonical->map(role, address);
  return result ? *result : "error: " + result.error().message;
}

TEST(Canonical, MapsAddresses) {
  AddressSettings settings({{"canonical_maps",
                             "inline:{{a@l.x=b@x.y},{u=uu},{ext@x.y=plain},{at@x.y=@other.z},{@dom.d=@new.d},"
                             "{@one.d=one@new.d},{q@x.y=\"q q\"@x.y},{r1@x.y=r2@x.y},{r2@x.y=r3@x.y},"
                             "{self@x.y=self@x.y},{com@x.y=Joe <joe@x.y>},{bang@x.y=site!user}}"}});
  const std::pair<const char*, const char*> cases[] = {
      {"a@l.x", "b@x.y"},
      {"a+e@l.x", "b+e@x.y"},
      {"u@l.x", "uu@o.example"},
      {"u@o.example", "uu@o.example"},
      {"u@other.x", "u@other.x"},
      {"ext+e@x.y", "plain+e@o.example"},
      {"at+e@x.y", "at+e@other.z"},
      {"z+e@dom.d", "z+e@new.d"},
      {"z+e@one.d", "one@new.d"},
      {"q+e@x.y", "\"q q+e\"@x.y"},
      {"r1@x.y", "r3@x.y"},
      {"self+e@x.y", "self+e@x.y"},
      {"com@x.y", "joe@x.y"},
      {"bang@x.y", "user@site"},
      {"", ""},
  };
  for (const auto& [address, expected] : cases)
    EXPECT_EQ(mapped(settings, kEnvelopeSender, address), expected) << address;
  EXPECT_TRUE(settings.warnings().items().empty());
}

TEST(Canonical, KeepsRolesApart) {
  AddressSettings settings({{"sender_canonical_maps", "inline:{a@b.c=s@s.s}"},
                            {"recipient_canonical_maps", "inline:{a@b.c=r@b.c}"},
                            {"canonical_maps", "inline:{{r@b.c=rc@c.c},{s@s.s=sc@c.c}}"},
                            {"canonical_classes", "envelope_recipient, header_sender"}});
  EXPECT_EQ(mapped(settings, kEnvelopeSender, "a@b.c"), "s@s.s");
  EXPECT_EQ(mapped(settings, kEnvelopeRecipient, "a@b.c"), "rc@c.c");
  EXPECT_EQ(mapped(settings, kHeaderSender, "a@b.c"), "sc@c.c");
  EXPECT_EQ(mapped(settings, kHeaderRecipient, "a@b.c"), "r@b.c");
}

TEST(Canonical, WarnsOfUnreasonableEntries) {
  AddressSettings settings(
      {{"canonical_maps",
        "inline:{{o1@x.y=o2@x.y},{o2@x.y=o3@x.y},{o3@x.y=o1@x.y},{two@x.y=a@b.c, d@e.f}}"}});
  EXPECT_EQ(mapped(settings, kEnvelopeRecipient, "o1@x.y"), "o2@x.y");
  EXPECT_EQ(mapped(settings, kEnvelopeRecipient, "two@x.y"), "a@b.c");
  ASSERT_EQ(settings.warnings().items().size(), 2U);
  EXPECT_EQ(settings.warnings().items()[0].message, "unreasonable canonical_maps map nesting for o2@x.y");
  EXPECT_EQ(settings.warnings().items()[1].message, "multi-valued canonical_maps entry for two@x.y");
}

TEST(Canonical, CannotTellWhenATableCannot) {
  AddressSettings settings({{"canonical_maps", "inline:{a@b.c=d@e.f}, fail:x"}});
  EXPECT_TRUE(mapped(settings, kEnvelopeSender, "z@b.c").starts_with("error: "));
}

TEST(Canonical, PropagatesExtensionsIfTold) {
  AddressSettings settings(
      {{"canonical_maps", "inline:{{a@l.x=b@x.y},{@dom.d=@new.d}}"}, {"propagate_unmatched_extensions", ""}});
  EXPECT_EQ(mapped(settings, kEnvelopeSender, "a+e@l.x"), "b@x.y");
  EXPECT_EQ(mapped(settings, kEnvelopeSender, "z+e@dom.d"), "z+e@new.d");
}

TEST(Masquerade, HidesHosts) {
  AddressSettings settings({{"masquerade_domains", "!no.x.y foo.x.y x.y"},
                            {"masquerade_exceptions", "root"},
                            {"masquerade_classes", "envelope_sender"}});
  auto masquerade = Masquerade::from(settings.context());
  ASSERT_TRUE(masquerade);
  const std::pair<const char*, const char*> cases[] = {
      {"a@x.y", "a@x.y"},
      {"a@c.b.x.y", "a@x.y"},
      {"a@foo.x.y", "a@foo.x.y"},
      {"a@b.foo.x.y", "a@foo.x.y"},
      {"a@no.x.y", "a@no.x.y"},
      {"a@b.no.x.y", "a@b.no.x.y"},
      {"a@ano.x.y", "a@x.y"},
      {"a@bx.y", "a@bx.y"},
      {"A@B.X.Y", "A@x.y"},
      {"root@b.x.y", "root@b.x.y"},
      {"Root@b.x.y", "Root@b.x.y"},
      {"\"a b\"@b.x.y", "\"a b\"@x.y"},
      {"user", "user"},
      {"", ""},
  };
  for (const auto& [address, expected] : cases)
    EXPECT_EQ(*masquerade->hide(kEnvelopeSender, address), expected) << address;
  EXPECT_EQ(*masquerade->hide(kEnvelopeRecipient, "a@b.x.y"), "a@b.x.y");
}

TEST(AddressRole, IsThatOfItsHeader) {
  EXPECT_EQ(header_role("FROM"), kHeaderSender);
  EXPECT_EQ(header_role("Reply-To"), kHeaderSender);
  EXPECT_EQ(header_role("Resent-Reply-To"), kHeaderRecipient);
  EXPECT_EQ(header_role("cc"), kHeaderRecipient);
  EXPECT_EQ(header_role("Subject"), std::nullopt);
  const AddressSettings settings({{"canonical_classes", "envelope"}});
  const auto roles = address_roles("canonical_classes", settings.settings());
  ASSERT_FALSE(roles);
  EXPECT_EQ(roles.error().kind, libconf::ErrorKind::kConfiguration);
}

}  // namespace
}  // namespace mta
