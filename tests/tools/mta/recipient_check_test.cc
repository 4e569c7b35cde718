// LOCAL_RECIPIENT_README, ADDRESS_CLASS_README; what they leave open is as a stock Postfix does it.
#include "tools/mta/address/recipient_check.h"

#include <gtest/gtest.h>

#include "libconf/text.h"
#include "tests/tools/mta/address_settings.h"

namespace mta {
namespace {

/// "550 5.1.1 text", "OK", or "FAIL".
std::string checked(AddressSettings& settings, const char* address) {
  const auto domains = settings.domains();
  auto resolver =
      RouteResolver::from(settings.context(), settings.rewriting(), domains, RouteKind::kDelivery);
  auto check = RecipientCheck::from(settings.context(), domains);
  EXPECT_TRUE(resolver && check);
  const auto resolution = resolver->resolve({}, address);
  if (!resolution) return "FAIL";
  const auto reject = check->reject(*resolution);
  if (!reject) return "FAIL";
  if (!*reject) return "OK";
  return libconf::concat(std::to_string((*reject)->code), " ", (*reject)->status, " ", (*reject)->text);
}

const AddressSettings::Parameters kTables = {
    {"local_recipient_maps", "inline:{{a=1},{b@l.x=1},{c+e@l.x=1},{d+e=1}}"},
    {"relay_domains", "r.x"},
    {"relay_recipient_maps", "inline:{{a@r.x=1},{b=1}}"},
    {"virtual_mailbox_domains", "vm.x"},
    {"virtual_mailbox_maps", "inline:{{a@vm.x=1},{b=1}}"},
    {"virtual_alias_domains", "va.x"},
    {"virtual_alias_maps", "inline:{{a@va.x=z},{w@r.x=z},{u2=z}}"},
    {"canonical_maps", "inline:{can@r.x=z}"},
    {"relocated_maps", "inline:{gone@l.x=there}"},
    {"transport_maps",
     "inline:{{err@l.x=error:5.7.9 no way},{err2@l.x=error:no way},{err3@l.x=error:},{err4@d.x=error:4.2.2 "
     "later},{ret@d.x=retry:4.2.2 later},{err5@l.x=error:2.0.0 x}}"},
};

TEST(RecipientCheck, LooksInTheTableOfTheClass) {
  const std::pair<const char*, const char*> cases[] = {
      {"a@l.x", "OK"},
      {"a+e@h.example.com", "OK"},
      {"a@[127.0.0.1]", "OK"},
      {"b@l.x", "OK"},
      {"b@h.example.com", "550 5.1.1 User unknown in local recipient table"},
      {"c+e@l.x", "OK"},
      {"c@l.x", "550 5.1.1 User unknown in local recipient table"},
      {"d+e@l.x", "OK"},
      {"a@r.x", "OK"},
      {"a+e@r.x", "OK"},
      {"b@r.x", "550 5.1.1 User unknown in relay recipient table"},
      {"a@vm.x", "OK"},
      {"b@vm.x", "550 5.1.1 User unknown in virtual mailbox table"},
      {"a@va.x", "OK"},
      {"b@va.x", "550 5.1.1 User unknown in virtual alias table"},
      {"zz@d.x", "OK"},
      {"w@r.x", "OK"},
      {"u2@l.x", "OK"},
      {"can@r.x", "OK"},
      {"postmaster@l.x", "OK"},
      {"double-bounce@l.x", "OK"},
      {"mailer-daemon@l.x", "OK"},
      {"postmaster@va.x", "550 5.1.1 User unknown in virtual alias table"},
      {"postmaster@r.x", "550 5.1.1 User unknown in relay recipient table"},
      {"a%l.x@l.x", "OK"},
  };
  AddressSettings settings(kTables);
  for (const auto& [address, expected] : cases) EXPECT_EQ(checked(settings, address), expected) << address;
}

TEST(RecipientCheck, RefusesWhatCannotBeDelivered) {
  const std::pair<const char*, const char*> cases[] = {
      {"gone+x@l.x", "550 5.1.6 User has moved to there"},
      {"err@l.x", "550 5.7.9 no way"},
      {"err2@l.x", "550 5.1.1 no way"},
      {"err3@l.x", "550 5.1.1 Address is undeliverable"},
      {"err4@d.x", "550 5.2.2 later"},
      {"err5@l.x", "550 5.0.0 x"},
      {"ret@d.x", "450 4.2.2 later"},
  };
  AddressSettings settings(kTables);
  for (const auto& [address, expected] : cases) EXPECT_EQ(checked(settings, address), expected) << address;
}

TEST(RecipientCheck, KnowsNothingWithoutTables) {
  AddressSettings settings(
      {{"relay_domains", "r.x"}, {"virtual_mailbox_domains", "vm.x"}, {"virtual_alias_domains", "va.x"}});
  for (const char* address : {"zz@l.x", "zz@r.x", "zz@vm.x"}) EXPECT_EQ(checked(settings, address), "OK");
  EXPECT_EQ(checked(settings, "zz@va.x"), "550 5.1.1 User unknown in virtual alias table");
}

TEST(RecipientCheck, HasCodesAndTextsOfTheSite) {
  AddressSettings settings({{"local_recipient_maps", "inline:{a=1}"},
                            {"unknown_local_recipient_reject_code", "450"},
                            {"show_user_unknown_table_name", "no"}});
  EXPECT_EQ(checked(settings, "zz@l.x"), "450 4.1.1 User unknown");
}

TEST(RecipientCheck, CannotTellWhenATableCannot) {
  for (const char* parameter : {"local_recipient_maps", "virtual_alias_maps", "canonical_maps",
                                "recipient_canonical_maps", "relocated_maps"}) {
    AddressSettings settings({{parameter, "fail:x"}, {"virtual_alias_domains", ""}});
    EXPECT_EQ(checked(settings, "zz@l.x"), "FAIL") << parameter;
  }
}

}  // namespace
}  // namespace mta
