// trivial-rewrite(8), transport(5), ADDRESS_CLASS_README; what they leave open is as a stock Postfix does it.
#include "tools/mta/address/resolve.h"

#include <gtest/gtest.h>

#include "tests/tools/mta/address_settings.h"

namespace mta {
namespace {

using enum RecipientClass;

struct Expected {
  RecipientClass recipient_class;
  const char* transport;
  const char* nexthop;
  const char* recipient;
};

class Resolver {
 public:
  explicit Resolver(AddressSettings::Parameters parameters, RouteKind kind = RouteKind::kDelivery)
      : settings_(parameters),
        resolver_(
            RouteResolver::from(settings_.context(), settings_.rewriting(), settings_.domains(), kind)) {}

  libconf::Result<Resolution> resolve(const char* recipient, const char* sender = "") {
    EXPECT_TRUE(resolver_) << resolver_.error().message;
    return resolver_->resolve(sender, recipient);
  }
  void expect(const char* recipient, const Expected& expected, const char* sender = "") {
    const auto found = resolve(recipient, sender);
    ASSERT_TRUE(found) << recipient << ": " << found.error().message;
    EXPECT_EQ(found->recipient_class, expected.recipient_class) << recipient;
    EXPECT_EQ(found->transport, expected.transport) << recipient << " from " << sender;
    EXPECT_EQ(found->nexthop, expected.nexthop) << recipient << " from " << sender;
    EXPECT_EQ(found->recipient, expected.recipient) << recipient;
    EXPECT_FALSE(found->is_malformed) << recipient;
  }
  AddressSettings& settings() { return settings_; }

 private:
  AddressSettings settings_;
  libconf::Result<RouteResolver> resolver_;
};

const AddressSettings::Parameters kClasses = {{"virtual_alias_domains", "va.x"},
                                              {"virtual_mailbox_domains", "vm.x, both.x"},
                                              {"relay_domains", "r.x, both.x"},
                                              {"proxy_interfaces", "192.0.2.9"}};

TEST(Resolve, KnowsTheClasses) {
  Resolver resolver(kClasses);
  const std::pair<const char*, Expected> cases[] = {
      {"u@h.example.com", {kLocal, "local", "h.example.com", "u@h.example.com"}},
      {"u@L.X", {kLocal, "local", "h.example.com", "u@L.X"}},
      {"u@l.x.", {kLocal, "local", "h.example.com", "u@l.x"}},
      {"u@va.x", {kVirtualAlias, "error", "5.1.1 User unknown in virtual alias table", "u@va.x"}},
      {"u@vm.x", {kVirtualMailbox, "virtual", "vm.x", "u@vm.x"}},
      {"u@r.x", {kRelay, "relay", "r.x", "u@r.x"}},
      {"u@s.r.x", {kRelay, "relay", "s.r.x", "u@s.r.x"}},
      {"u@both.x", {kVirtualMailbox, "virtual", "both.x", "u@both.x"}},
      {"u@d.x", {kDefault, "smtp", "d.x", "u@d.x"}},
      {"a b@d.x", {kDefault, "smtp", "d.x", "a b@d.x"}},
      {"u", {kLocal, "local", "h.example.com", "u@h.example.com"}},
      {"", {kLocal, "local", "h.example.com", "MAILER-DAEMON@h.example.com"}},
      {"@l.x", {kLocal, "local", "h.example.com", "MAILER-DAEMON@l.x"}},
      {"u@[127.0.0.1]", {kLocal, "local", "h.example.com", "u@[127.0.0.1]"}},
      {"u@[192.0.2.9]", {kLocal, "local", "h.example.com", "u@[192.0.2.9]"}},
      {"u@[192.0.2.10]", {kDefault, "smtp", "[192.0.2.10]", "u@[192.0.2.10]"}},
  };
  for (const auto& [recipient, expected] : cases) resolver.expect(recipient, expected);
  ASSERT_EQ(resolver.settings().warnings().items().size(), 1U);
  EXPECT_EQ(resolver.settings().warnings().items()[0].message,
            "do not list domain both.x in BOTH virtual_mailbox_domains and relay_domains");
}

TEST(Resolve, TakesItsOwnDomainsOff) {
  Resolver resolver(kClasses);
  const std::pair<const char*, Expected> cases[] = {
      {"a%b@l.x", {kDefault, "smtp", "b", "a@b"}},
      {"a!b@l.x", {kDefault, "smtp", "a", "b@a"}},
      {"a@b@l.x", {kDefault, "smtp", "b", "a@b"}},
      {"a%b%l.x@l.x", {kDefault, "smtp", "b", "a@b"}},
      {"a%b@[127.0.0.1]", {kDefault, "smtp", "b", "a@b"}},
      {"a%l.x@l.x", {kLocal, "local", "h.example.com", "a@l.x"}},
      {"a%b", {kDefault, "smtp", "b", "a@b"}},
      {"u@l.x@", {kLocal, "local", "h.example.com", "u@l.x"}},
      {"a%b@vm.x", {kVirtualMailbox, "virtual", "vm.x", "a%b@vm.x"}},
  };
  for (const auto& [recipient, expected] : cases) resolver.expect(recipient, expected);
  EXPECT_TRUE(resolver.resolve("a%b@vm.x")->is_routed);
  EXPECT_TRUE(resolver.resolve("a%b%c@l.x")->is_routed);
  EXPECT_FALSE(resolver.resolve("a%b@l.x")->is_routed);
}

TEST(Resolve, LooksInsideQuotesOnlyIfTold) {
  Resolver resolver({{"resolve_dequoted_address", "no"}});
  resolver.expect("a@b@l.x", {kLocal, "local", "h.example.com", "a@b@l.x"});
  resolver.expect("a%b@l.x", {kDefault, "smtp", "b", "a@b"});
}

TEST(Resolve, FindsMalformedAddresses) {
  Resolver resolver(kClasses);
  for (const char* recipient : {"u@", "@", "u@1.2.3.4", "u@12", "u@[foo]", "u@[]", "u@[::1]", "u@d.x..",
                                "u@.d.x", "u@d..x", "u@-d.x", "u@d x", "u@d:25", "u@\xc3\xa9.x", "-u@d.x"})
    EXPECT_TRUE(resolver.resolve(recipient)->is_malformed) << recipient;
  for (const char* recipient : {"u@d_x.y", "u@0x10", "u@d", "u@[IPv6:2001:db8::1]", "u-@d.x"})
    EXPECT_FALSE(resolver.resolve(recipient)->is_malformed) << recipient;
}

TEST(Resolve, TakesNullAndNumericDomainsIfTold) {
  Resolver resolver(
      {{"resolve_null_domain", "yes"}, {"resolve_numeric_domain", "yes"}, {"allow_min_user", "yes"}});
  resolver.expect("u@", {kLocal, "local", "h.example.com", "u@h.example.com"});
  resolver.expect("@", {kLocal, "local", "h.example.com", "MAILER-DAEMON@h.example.com"});
  resolver.expect("u@1.2.3.4", {kDefault, "smtp", "[1.2.3.4]", "u@[1.2.3.4]"});
  resolver.expect("u@127.0.0.1", {kLocal, "local", "h.example.com", "u@[127.0.0.1]"});
  resolver.expect("-u@d.x", {kDefault, "smtp", "d.x", "-u@d.x"});
}

TEST(Resolve, ReadsTheTransportParameters) {
  Resolver resolver({{"local_transport", "lmtp:unix:/x"},
                     {"virtual_transport", "lmtp"},
                     {"virtual_mailbox_domains", "vm.x"},
                     {"relay_transport", "relay:[rh]:26"},
                     {"relay_domains", "r.x"},
                     {"default_transport", "smtp:[sh]"},
                     {"relayhost", "[gw]:25"}});
  resolver.expect("u@l.x", {kLocal, "lmtp", "unix:/x", "u@l.x"});
  resolver.expect("u@vm.x", {kVirtualMailbox, "lmtp", "vm.x", "u@vm.x"});
  resolver.expect("u@r.x", {kRelay, "relay", "[rh]:26", "u@r.x"});
  resolver.expect("u@d.x", {kDefault, "smtp", "[sh]", "u@d.x"});
  Resolver with_relayhost({{"relayhost", "[gw]:25"}, {"relay_domains", "r.x"}});
  with_relayhost.expect("u@r.x", {kRelay, "relay", "[gw]:25", "u@r.x"});
  with_relayhost.expect("u@d.x", {kDefault, "smtp", "[gw]:25", "u@d.x"});
}

TEST(Resolve, DependsOnTheSender) {
  Resolver resolver(
      {{"relayhost", "[gw]"},
       {"sender_dependent_relayhost_maps",
        "inline:{{s@x.y=[rs]:1},{@x.y=[rxy]},{<>=[null]},{n@n.n=DUNNO},{@dd.d=[dd]}}"},
       {"sender_dependent_default_transport_maps",
        "inline:{{t@x.y=trans:hop},{s@x.y=trans2},{@dd.d=trans3:},{n@n.n=DUNNO},{e@e.e=:hop}}"}});
  resolver.expect("u@d.x", {kDefault, "smtp", "[null]", "u@d.x"}, "");
  resolver.expect("u@d.x", {kDefault, "trans2", "[rs]:1", "u@d.x"}, "s@x.y");
  resolver.expect("u@d.x", {kDefault, "trans2", "[rs]:1", "u@d.x"}, "s+e@x.y");
  resolver.expect("u@d.x", {kDefault, "trans", "hop", "u@d.x"}, "t@x.y");
  resolver.expect("u@d.x", {kDefault, "smtp", "[rxy]", "u@d.x"}, "z@x.y");
  resolver.expect("u@d.x", {kDefault, "smtp", "[gw]", "u@d.x"}, "n@n.n");
  resolver.expect("u@d.x", {kDefault, "trans3", "[dd]", "u@d.x"}, "d@dd.d");
  resolver.expect("u@l.x", {kLocal, "local", "h.example.com", "u@l.x"}, "s@x.y");
  EXPECT_FALSE(resolver.resolve("u@d.x", "e@e.e"));
}

TEST(Resolve, AsksTheTransportTable) {
  Resolver resolver(
      {{"relayhost", "[gw]"},
       {"virtual_mailbox_domains", "vm.x"},
       {"virtual_alias_domains", "va.x"},
       {"transport_maps",
        "inline:{{u@d.x=one:hop},{d2.x=two:},{d3.x=:three},{d4.x=:},{.sub4.x=sub:s},{*=star:hop},{l.x=lu:},"
        "{mailer-daemon@h.example.com=md:},{u+ext@d5.x=ext:},{bare@d5.x=bare},{e@d5.x=error:5.2.1 moved},"
        "{e2@d5.x=error:},{vm.x=:},{va.x=vva:vv},{sp@d5.x=smtp:a, b:25}}"}});
  const std::pair<const char*, Expected> cases[] = {
      {"u@d.x", {kDefault, "one", "hop", "u@d.x"}},
      {"v@d.x", {kDefault, "star", "hop", "v@d.x"}},
      {"u@d2.x", {kDefault, "two", "d2.x", "u@d2.x"}},
      {"u@d3.x", {kDefault, "smtp", "three", "u@d3.x"}},
      {"u@d4.x", {kDefault, "smtp", "[gw]", "u@d4.x"}},
      {"u@a.sub4.x", {kDefault, "sub", "s", "u@a.sub4.x"}},
      {"u@sub4.x", {kDefault, "star", "hop", "u@sub4.x"}},
      {"u@l.x", {kLocal, "lu", "l.x", "u@l.x"}},
      {"", {kLocal, "md", "h.example.com", "MAILER-DAEMON@h.example.com"}},
      {"u+ext@d5.x", {kDefault, "ext", "d5.x", "u+ext@d5.x"}},
      {"bare+o@d5.x", {kDefault, "bare", "d5.x", "bare+o@d5.x"}},
      {"e@d5.x", {kDefault, "error", "5.2.1 moved", "e@d5.x"}},
      {"e2@d5.x", {kDefault, "error", "Address is undeliverable", "e2@d5.x"}},
      {"u@vm.x", {kVirtualMailbox, "virtual", "vm.x", "u@vm.x"}},
      {"u@va.x", {kVirtualAlias, "error", "5.1.1 User unknown in virtual alias table", "u@va.x"}},
      {"sp@d5.x", {kDefault, "smtp", "a, b:25", "sp@d5.x"}},
  };
  for (const auto& [recipient, expected] : cases) resolver.expect(recipient, expected);
}

TEST(Resolve, TellsWhoHasMoved) {
  Resolver resolver({{"relocated_maps", "inline:{{a@l.x=there},{gone=there2}}"}});
  resolver.expect("a+e@l.x", {kLocal, "error", "5.1.6 User has moved to there", "a+e@l.x"});
  resolver.expect("gone@l.x", {kLocal, "error", "5.1.6 User has moved to there2", "gone@l.x"});
  resolver.expect("gone@d.x", {kDefault, "smtp", "d.x", "gone@d.x"});
  Resolver plain({{"relocated_maps", "inline:{{a@l.x=5.2.1 closed}}"}, {"relocated_prefix_enable", "no"}});
  plain.expect("a@l.x", {kLocal, "error", "5.2.1 closed", "a@l.x"});
}

TEST(Resolve, HasRoutesForProbes) {
  Resolver resolver({{"address_verify_default_transport", "probe:hop"}, {"relayhost", "[gw]"}},
                    RouteKind::kVerification);
  resolver.expect("u@d.x", {kDefault, "probe", "hop", "u@d.x"});
  resolver.expect("u@l.x", {kLocal, "local", "h.example.com", "u@l.x"});
}

TEST(Resolve, CannotTellWhenATableCannot) {
  for (const char* parameter :
       {"mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains",
        "transport_maps", "relocated_maps", "sender_dependent_relayhost_maps",
        "sender_dependent_default_transport_maps"}) {
    Resolver resolver({{parameter, "fail:x"}});
    const auto found = resolver.resolve("u@d.x", "s@x.y");
    ASSERT_FALSE(found) << parameter;
    EXPECT_EQ(found.error().kind, libconf::ErrorKind::kTemporary) << parameter;
  }
}

}  // namespace
}  // namespace mta
