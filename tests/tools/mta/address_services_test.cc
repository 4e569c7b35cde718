// What restrictions are told about an address, and the maps that add recipients.
#include "tools/mta/smtp/address_services.h"

#include <gtest/gtest.h>

#include "tests/tools/mta/address_settings.h"
#include "tests/tools/mta/coroutine.h"

namespace mta {
namespace {

class AddressServicesTest : public testing::Test {
 protected:
  std::unique_ptr<AddressServices> services(AddressSettings::Parameters parameters) {
    settings_.emplace(parameters);
    const AddressContext context = settings_->context();
    auto made = AddressServices::create(settings_->settings(), context.host, context.tables.warnings);
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    return std::move(*made);
  }

 private:
  std::optional<AddressSettings> settings_;
};

struct ResolveCase {
  const char* address;
  const char* external;
  const char* domain;
  AddressClass address_class;
  bool has_routing;
};

TEST_F(AddressServicesTest, TellsWhereMailGoes) {
  const auto addresses = services({{"virtual_mailbox_domains", "v.x"}, {"relay_domains", "r.x"}});
  const ResolveCase cases[] = {
      {"ann@l.x", "ann@l.x", "l.x", AddressClass::kLocal, false},
      {"ann@v.x", "ann@v.x", "v.x", AddressClass::kVirtualMailbox, false},
      {"a b@r.x", "\"a b\"@r.x", "r.x", AddressClass::kRelay, false},
      {"a%b.x@l.x", "a@b.x", "b.x", AddressClass::kDefault, false},
      {"a@b.x@l.x", "a@b.x", "b.x", AddressClass::kDefault, false},
      {"b.x!a@l.x", "a@b.x", "b.x", AddressClass::kDefault, false},
      {"a%v.x@l.x", "a@v.x", "v.x", AddressClass::kVirtualMailbox, false},
      {"a%l.x@l.x", "a@l.x", "l.x", AddressClass::kLocal, false},
      {"a%b.x@r.x", "a%b.x@r.x", "r.x", AddressClass::kRelay, true},
      {"a@b.x@r.x", "\"a@b.x\"@r.x", "r.x", AddressClass::kRelay, true},
      {"ann", "ann@o.example", "o.example", AddressClass::kDefault, false},
  };
  asio::io_context io;
  for (const ResolveCase& each : cases) {
    const auto info = run(io, addresses->resolve(each.address));
    ASSERT_TRUE(info) << each.address;
    EXPECT_EQ(info->address, each.external) << each.address;
    EXPECT_EQ(info->domain, each.domain) << each.address;
    EXPECT_EQ(info->address_class, each.address_class) << each.address;
    EXPECT_EQ(info->has_sender_routing, each.has_routing) << each.address;
  }
}

TEST_F(AddressServicesTest, TellsWhatEachStepMakesOfAnAddress) {
  const auto addresses = services({{"canonical_maps", "inline:{ann=anne@h.m.x}"},
                                   {"masquerade_domains", "m.x"},
                                   {"virtual_alias_maps", "inline:{{anne@h.m.x=b@c.x,d@e.x}}"}});
  std::vector<std::string> steps;
  addresses->set_trace([&](std::string_view step, std::string_view before, std::string_view after) {
    steps.push_back(libconf::concat(step, ": ", before, " -> ", after));
  });
  ASSERT_EQ(addresses->rewrite_sender(RewriteContext::kRemote, "ann").value(), "anne@m.x");
  EXPECT_EQ(steps, (std::vector<std::string>{"standard form: ann -> ann@o.example",
                                             "canonical maps: ann@o.example -> anne@h.m.x",
                                             "masquerading: anne@h.m.x -> anne@m.x"}));
  steps.clear();
  // Masquerading is for envelope senders and headers, as long as masquerade_classes does not say otherwise.
  ASSERT_EQ(addresses->expand(RewriteContext::kRemote, {.address = "ann@o.example"}).value().size(), 2u);
  EXPECT_EQ(steps, (std::vector<std::string>{"standard form: ann@o.example -> ann@o.example",
                                             "canonical maps: ann@o.example -> anne@h.m.x",
                                             "masquerading: anne@h.m.x -> anne@h.m.x",
                                             "virtual aliases: anne@h.m.x -> b@c.x, d@e.x"}));
}

TEST_F(AddressServicesTest, FindsAutomaticRecipients) {
  const auto addresses = services({{"sender_bcc_maps", "inline:{{ann@e.x=keeper}, {@at.x=all@at.x}}"},
                                   {"recipient_bcc_maps", "inline:{{bob@e.x=archive@e.x}}"}});
  const auto bcc = [&](AddressServices::Bcc which, const char* address) {
    return addresses->automatic_bcc(which, address).value().value_or("(none)");
  };
  using Bcc = AddressServices::Bcc;
  EXPECT_EQ(bcc(Bcc::kSender, "ann@e.x"), "keeper@o.example");
  EXPECT_EQ(bcc(Bcc::kSender, "ann+x@e.x"), "keeper@o.example");
  EXPECT_EQ(bcc(Bcc::kSender, "any@at.x"), "all@at.x");
  EXPECT_EQ(bcc(Bcc::kSender, "bob@e.x"), "(none)");
  EXPECT_EQ(bcc(Bcc::kSender, ""), "(none)");
  EXPECT_EQ(bcc(Bcc::kRecipient, "bob@e.x"), "archive@e.x");
}

TEST_F(AddressServicesTest, LeavesAddressesToAnotherService) {
  const auto addresses = services({{"receive_override_options", "no_address_mappings"},
                                   {"sender_bcc_maps", "static:x@y"},
                                   {"canonical_maps", "static:x@y"},
                                   {"virtual_alias_maps", "static:x@y"}});
  EXPECT_EQ(addresses->rewrite_sender(RewriteContext::kLocal, "ann").value(), "ann@o.example");
  const auto expanded =
      addresses->expand(RewriteContext::kLocal, {.address = "ann", .original = "ann"}).value();
  ASSERT_EQ(expanded.size(), 1U);
  EXPECT_EQ(expanded[0].address, "ann@o.example");
  EXPECT_FALSE(addresses->automatic_bcc(AddressServices::Bcc::kSender, "ann@o.example").value());
}

}  // namespace
}  // namespace mta
