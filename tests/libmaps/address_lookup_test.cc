#include "libmaps/address_lookup.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/libmaps/fake_table.h"

namespace libmaps {
namespace {

using Strings = std::vector<std::string>;
using Entries = std::map<std::string, std::string, std::less<>>;

AddressRules plus() { return {.recipient_delimiter = "+"}; }

Strings texts(const std::vector<LookupKey>& keys) {
  Strings out;
  for (const LookupKey& key : keys) out.push_back(key.text);
  return out;
}

// The order of each is the text of its manual page.
TEST(LookupKeys, FollowEachManualPage) {
  const Strings rewriting = {"user+foo@a.example.com", "user@a.example.com", "user+foo", "user",
                             "@a.example.com"};
  const std::pair<LookupKind, Strings> cases[] = {
      {LookupKind::kAccess,
       {"user+foo@a.example.com", "user@a.example.com", "a.example.com", ".example.com", ".com", "user+foo@",
        "user@"}},
      {LookupKind::kAliases, {"user+foo", "user"}},
      {LookupKind::kCanonical, rewriting},
      {LookupKind::kGeneric, rewriting},
      {LookupKind::kMailbox, {"user+foo@a.example.com", "user@a.example.com", "@a.example.com"}},
      {LookupKind::kRelocated, rewriting},
      {LookupKind::kTransport,
       {"user+foo@a.example.com", "user@a.example.com", "a.example.com", ".example.com", ".com", "*"}},
      {LookupKind::kVirtual, rewriting},
  };
  for (const auto& [kind, expected] : cases)
    EXPECT_EQ(texts(lookup_keys(kind, "user+foo@a.example.com", plus())), expected) << static_cast<int>(kind);
}

TEST(LookupKeys, LeaveOutWhatAnAddressLacks) {
  struct Case {
    const char* name;
    LookupKind kind;
    const char* address;
    Strings expected;
  };
  const Case cases[] = {
      {"no extension",
       LookupKind::kVirtual,
       "user@example.com",
       {"user@example.com", "user", "@example.com"}},
      {"access without extension",
       LookupKind::kAccess,
       "user@example.com",
       {"user@example.com", "example.com", ".com", "user@"}},
      {"aliases without extension", LookupKind::kAliases, "user", {"user"}},
      {"aliases, without a domain", LookupKind::kAliases, "user+foo", {"user+foo", "user"}},
      {"access without a domain", LookupKind::kAccess, "user+foo", {"user+foo", "user+foo@", "user@"}},
      {"transport without a domain", LookupKind::kTransport, "user", {"user", "*"}},
      {"the null address", LookupKind::kAccess, "", {"<>"}},
      {"the null address elsewhere", LookupKind::kTransport, "", {}},
      {"no user", LookupKind::kAccess, "@example.com", {"@example.com", "example.com", ".com"}},
      {"an address literal",
       LookupKind::kAccess,
       "user@[192.0.2.1]",
       {"user@[192.0.2.1]", "[192.0.2.1]", "user@"}},
      {"the last @ counts",
       LookupKind::kMailbox,
       "\"a@b\"@example.com",
       {"\"a@b\"@example.com", "@example.com"}},
  };
  for (const Case& c : cases) EXPECT_EQ(texts(lookup_keys(c.kind, c.address, plus())), c.expected) << c.name;
}

TEST(LookupKeys, TellWhatTheyLeaveOut) {
  const std::vector<LookupKey> expected = {
      {KeyForm::kAddress, "user+foo@example.com", ""}, {KeyForm::kBareAddress, "user@example.com", "+foo"},
      {KeyForm::kSiteExtendedUser, "user+foo", ""},    {KeyForm::kSiteUser, "user", "+foo"},
      {KeyForm::kAtDomain, "@example.com", ""},
  };
  EXPECT_EQ(lookup_keys(LookupKind::kCanonical, "user+foo@example.com", plus()), expected);
}

TEST(LookupKeys, TakeTheirStyleOfParentsAndTheNullKeyFromTheRules) {
  const AddressRules rules = {.null_address_key = "null", .parents = ParentStyle::kPlain};
  EXPECT_EQ(texts(lookup_keys(LookupKind::kAccess, "", rules)), Strings{"null"});
  EXPECT_EQ(texts(lookup_keys(LookupKind::kTransport, "u@a.example.com", rules)),
            (Strings{"u@a.example.com", "a.example.com", "example.com", "com", "*"}));
}

// postconf(5), recipient_delimiter and owner_request_special.
TEST(SplitAddress, FindsTheExtension) {
  struct Case {
    const char* delimiters;
    const char* local;
    const char* user;
    const char* extension;
  };
  const Case cases[] = {
      {"+", "user+foo", "user", "+foo"},
      {"+", "user+foo+bar", "user", "+foo+bar"},
      {"+", "user-foo", "user-foo", ""},
      {"+", "user+", "user", "+"},
      {"+", "+foo", "+foo", ""},
      {"", "user+foo", "user+foo", ""},
      {"+-", "user-a+b", "user", "-a+b"},
      {"+-", "user+a-b", "user", "+a-b"},
      {"-", "mailer-daemon", "mailer-daemon", ""},
      {"-", "MAILER-DAEMON", "MAILER-DAEMON", ""},
      {"-", "double-bounce", "double-bounce", ""},
      {"-", "owner-list", "owner-list", ""},
      {"-", "list-request", "list-request", ""},
      {"-", "list-Request", "list-Request", ""},
      {"-", "list-requests", "list", "-requests"},
      {"-", "owner", "owner", ""},
      {"+", "owner-list+foo", "owner-list", "+foo"},
      {"+", "\"user+foo\"", "\"user+foo\"", ""},
  };
  for (const Case& c : cases) {
    const AddressRules rules = {.recipient_delimiter = c.delimiters};
    const std::string address = std::string(c.local) + "@example.com";
    const AddressParts parts = split_address(address, rules);
    EXPECT_EQ(parts.local, c.local);
    EXPECT_EQ(parts.user, c.user) << c.local << " with " << c.delimiters;
    EXPECT_EQ(parts.extension, c.extension) << c.local << " with " << c.delimiters;
    EXPECT_EQ(parts.domain, "example.com");
  }
  const AddressRules plain = {.recipient_delimiter = "-", .owner_request_special = false};
  EXPECT_EQ(split_address("owner-list", plain).user, "owner");
}

TEST(AddressRules, ComeFromSettings) {
  libconf::Settings settings(nullptr, {});
  settings.override_value("recipient_delimiter", "+-");
  settings.override_value("owner_request_special", "no");
  settings.override_value("smtpd_null_access_lookup_key", "null");
  const auto access = address_rules(LookupKind::kAccess, settings);
  ASSERT_TRUE(access);
  EXPECT_EQ(access->recipient_delimiter, "+-");
  EXPECT_FALSE(access->owner_request_special);
  EXPECT_EQ(access->null_address_key, "null");
  EXPECT_EQ(access->double_bounce_sender, "double-bounce");
  EXPECT_EQ(access->parents, ParentStyle::kPlain);  // smtpd_access_maps is in the default.
  EXPECT_EQ(address_rules(LookupKind::kTransport, settings)->parents, ParentStyle::kDotted);
  settings.override_value("owner_request_special", "perhaps");
  EXPECT_FALSE(address_rules(LookupKind::kAccess, settings));
}

TEST(PatternTables, AreKnownByTheirType) {
  for (const char* name :
       {"regexp:/x", "pcre:{{/a/ b}}", "cidr:/x", "tcp:host:25", "proxy:pcre:/x", "debug:cidr:/x"})
    EXPECT_TRUE(is_pattern_table(name)) << name;
  for (const char* name : {"hash:/x", "static:pcre", "proxy:hash:/x", "lmdb:cidr:", "pcre2"})
    EXPECT_FALSE(is_pattern_table(name)) << name;
}

std::vector<std::unique_ptr<Table>> tables(std::unique_ptr<Table> first,
                                           std::unique_ptr<Table> second = nullptr) {
  std::vector<std::unique_ptr<Table>> out;
  out.push_back(std::move(first));
  if (second) out.push_back(std::move(second));
  return out;
}

std::unique_ptr<Table> fake(std::string name, Entries entries, Strings* log = nullptr) {
  return std::make_unique<FakeTable>(std::move(name), std::move(entries), log);
}

Result<bool> is_example(std::string_view domain) { return domain == "example.com"; }

std::string value_of(const Result<std::optional<AddressMatch>>& match) {
  if (!match) return "error: " + match.error().message;
  return *match ? (*match)->value : "-";
}

TEST(AddressLookup, AsksEachTableForAKeyBeforeTheNextKey) {
  AddressLookup lookup(LookupKind::kVirtual,
                       tables(fake("hash:a", {{"user@example.com", "late"}}),
                              fake("hash:b", {{"user+foo@example.com", "early"}})),
                       plus(), is_example);
  const auto match = lookup.find("user+foo@example.com");
  ASSERT_EQ(value_of(match), "early");
  EXPECT_EQ((*match)->table, "hash:b");
  EXPECT_EQ((*match)->key.form, KeyForm::kAddress);
}

TEST(AddressLookup, TellsWhichExtensionWasCut) {
  AddressLookup lookup(LookupKind::kCanonical, tables(fake("hash:a", {{"user", "other"}})), plus(),
                       is_example);
  const auto match = lookup.find("user+foo@example.com");
  ASSERT_EQ(value_of(match), "other");
  EXPECT_EQ((*match)->key.extension, "+foo");
  EXPECT_EQ((*match)->key.form, KeyForm::kSiteUser);
}

TEST(AddressLookup, AsksForUsersOfTheSiteOnly) {
  for (const LookupKind kind :
       {LookupKind::kCanonical, LookupKind::kGeneric, LookupKind::kRelocated, LookupKind::kVirtual}) {
    AddressLookup lookup(kind, tables(fake("hash:a", {{"user", "found"}})), plus(), is_example);
    EXPECT_EQ(value_of(lookup.find("user@example.com")), "found");
    EXPECT_EQ(value_of(lookup.find("user@elsewhere.example")), "-");
    AddressLookup without(kind, tables(fake("hash:a", {{"user", "found"}})), plus());
    EXPECT_EQ(value_of(without.find("user@example.com")), "-");
  }
}

TEST(AddressLookup, AsksForTheSiteOnlyWhenItMatters) {
  int asked = 0;
  const auto count = [&asked](std::string_view) -> Result<bool> {
    ++asked;
    return true;
  };
  AddressLookup lookup(LookupKind::kVirtual, tables(fake("hash:a", {{"a@example.com", "x"}})), plus(), count);
  EXPECT_EQ(value_of(lookup.find("a@example.com")), "x");
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(value_of(lookup.find("b+c@example.com")), "-");
  EXPECT_EQ(asked, 1);
}

TEST(AddressLookup, GivesPatternTablesTheWholeAddressOnly) {
  Strings pattern_log;
  Strings hash_log;
  AddressLookup lookup(LookupKind::kVirtual,
                       tables(fake("pcre:a", {}, &pattern_log), fake("hash:b", {}, &hash_log)), plus(),
                       is_example);
  EXPECT_EQ(value_of(lookup.find("user+foo@example.com")), "-");
  EXPECT_EQ(pattern_log, Strings{"user+foo@example.com"});
  EXPECT_EQ(hash_log,
            (Strings{"user+foo@example.com", "user@example.com", "user+foo", "user", "@example.com"}));
}

TEST(AddressLookup, ReturnsAnErrorAndAsksNoFurther) {
  Strings log;
  AddressLookup lookup(
      LookupKind::kVirtual,
      tables(std::make_unique<FailingTable>("ldap:x"), fake("hash:b", {{"@example.com", "x"}}, &log)), plus(),
      is_example);
  const auto match = lookup.find("user@example.com");
  ASSERT_FALSE(match);
  EXPECT_EQ(match.error().kind, ErrorKind::kTemporary);
  EXPECT_EQ(match.error().message, "ldap:x lookup error for \"user@example.com\"");
  EXPECT_TRUE(log.empty());
}

TEST(AddressLookup, FindsWhatComesBeforeAnError) {
  AddressLookup lookup(
      LookupKind::kVirtual,
      tables(fake("hash:b", {{"user@example.com", "x"}}), std::make_unique<FailingTable>("ldap:x")), plus(),
      is_example);
  EXPECT_EQ(value_of(lookup.find("user@example.com")), "x");
}

TEST(AddressLookup, ReturnsTheErrorOfTheSite) {
  const auto fail = [](std::string_view) -> Result<bool> {
    return Error{.kind = ErrorKind::kTemporary, .message = "mydestination: cannot tell"};
  };
  AddressLookup lookup(LookupKind::kVirtual, tables(fake("hash:b", {{"@example.com", "x"}})), plus(), fail);
  EXPECT_EQ(value_of(lookup.find("user@example.com")), "error: mydestination: cannot tell");
}

TEST(AddressLookup, FindsHostsAndClients) {
  Strings log;
  AddressLookup lookup(LookupKind::kAccess,
                       tables(fake("hash:a", {{".example.com", "sub"}, {"192.0.2", "net"}}, &log)), plus());
  EXPECT_EQ(value_of(lookup.find_host("a.b.example.com")), "sub");
  EXPECT_EQ(log, (Strings{"a.b.example.com", ".b.example.com", ".example.com"}));
  EXPECT_EQ(value_of(lookup.find_host("example.com")), "-");
  EXPECT_EQ(value_of(lookup.find_client(*parse_ip_address("192.0.2.77"))), "net");
  EXPECT_EQ(value_of(lookup.find_client(*parse_ip_address("192.0.3.77"))), "-");

  Strings cidr_log;
  AddressLookup cidr(LookupKind::kAccess, tables(fake("cidr:a", {}, &cidr_log)), plus());
  EXPECT_EQ(value_of(cidr.find_client(*parse_ip_address("192.0.2.77"))), "-");
  EXPECT_EQ(cidr_log, Strings{"192.0.2.77"});
}

// canonical(5): "@otherdomain, the result becomes the same user in otherdomain".
TEST(WithUserKept, CompletesAnOtherDomain) {
  const LookupKey whole = {KeyForm::kAtDomain, "@example.com"};
  const LookupKey bare = {KeyForm::kBareAddress, "user@example.com", "+foo"};
  EXPECT_EQ(with_user_kept("@other.example", "user+foo@example.com", whole), "user+foo@other.example");
  EXPECT_EQ(with_user_kept("@other.example", "user+foo@example.com", bare), "user@other.example");
  EXPECT_EQ(with_user_kept("someone@other.example", "user+foo@example.com", bare), "someone@other.example");
}

}  // namespace
}  // namespace libmaps
