#include "libmaps/match_list.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/fake_table.h"

namespace libmaps {
namespace {

using postkit_test::TempDirectory;

/// "hash:NAME" has the key NAME, and logs what it is asked; "fail:" cannot tell; "pcre:" has nothing.
class Tables {
 public:
  MatchList::OpenTable opener() {
    return [this](std::string_view spec) -> Result<std::unique_ptr<Table>> {
      const std::string name(spec);
      if (spec.starts_with("fail:")) return std::make_unique<FailingTable>(name);
      if (spec.starts_with("pcre:"))
        return std::make_unique<FakeTable>(name, std::map<std::string, std::string, std::less<>>{}, &log);
      if (spec.starts_with("hash:"))
        return std::make_unique<FakeTable>(
            name, std::map<std::string, std::string, std::less<>>{{name.substr(5), "any"}}, &log);
      return Error{.kind = ErrorKind::kUnsupported, .message = "unsupported dictionary type: " + name};
    };
  }
  std::vector<std::string> log;
};

Result<MatchList> parse(std::string_view value, MatchRules rules, Tables& tables) {
  return MatchList::parse("list", value, rules, tables.opener());
}

constexpr MatchRules kStrings = {MatchKind::kStrings, ParentStyle::kDotted};
constexpr MatchRules kDotted = {MatchKind::kDomains, ParentStyle::kDotted};
constexpr MatchRules kPlain = {MatchKind::kDomains, ParentStyle::kPlain};
constexpr MatchRules kNetworks = {MatchKind::kNetworks, ParentStyle::kPlain};

struct Case {
  const char* name;
  std::string value;
  MatchRules rules;
  std::vector<std::string> members;
  std::vector<std::string> others;
};

// postconf(5): mydestination, relay_domains, parent_domain_matches_subdomains.
TEST(MatchList, MatchesNames) {
  const Case cases[] = {
      {"empty", "", kStrings, {}, {"", "a"}},
      {"separators", "a, b,c\n\td ,", kStrings, {"a", "b", "c", "d"}, {"", "e", "ab"}},
      {"a string may be empty", "hash:", kStrings, {""}, {"a"}},
      {"a name may not", "hash:", kDotted, {}, {"", "a"}},
      {"case", "Example.COM", kStrings, {"example.com", "EXAMPLE.com"}, {"a.example.com"}},
      {"strings have no parents",
       ".example.com",
       kStrings,
       {".example.com"},
       {"a.example.com", "example.com"}},
      {"literals are strings", "[192.0.2.1]", kStrings, {"[192.0.2.1]"}, {"192.0.2.1"}},
      {"dotted parents",
       ".example.com other.org",
       kDotted,
       {"a.example.com", "a.b.EXAMPLE.com", "other.org"},
       {"example.com", "a.other.org", "example.com.org"}},
      {"plain parents",
       "example.com",
       kPlain,
       {"example.com", "a.example.com", "a.b.example.com"},
       {"badexample.com", "com"}},
      {"exclusion comes first", "!a.example.com example.com", kPlain, {"b.example.com"}, {"a.example.com"}},
      {"first match decides", "example.com !a.example.com", kPlain, {"a.example.com"}, {"org"}},
      {"excluded twice", "!!a", kStrings, {"a"}, {"b"}},
      {"exclusion alone", "!a", kStrings, {}, {"a", "b"}},
      {"tables, dotted", "hash:.example.com", kDotted, {"a.example.com", "b.a.example.com"}, {"example.com"}},
      {"tables, plain", "hash:example.com", kPlain, {"example.com", "a.example.com"}, {"com", "org"}},
      {"tables of strings", "hash:example.com", kStrings, {"example.com"}, {"a.example.com"}},
      {"excluding tables", "!hash:a.org org", kPlain, {"b.org"}, {"a.org", "x.a.org"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Tables tables;
    auto list = parse(c.value, c.rules, tables);
    ASSERT_TRUE(list) << list.error().message;
    for (const std::string& name : c.members) EXPECT_TRUE(list->matches(name).value()) << name;
    for (const std::string& name : c.others) EXPECT_FALSE(list->matches(name).value()) << name;
  }
}

// postconf(5): mynetworks.
TEST(MatchList, MatchesClients) {
  struct ClientCase {
    const char* name;
    const char* value;
    std::vector<std::pair<std::string, std::string>> members;
    std::vector<std::pair<std::string, std::string>> others;
  };
  const ClientCase cases[] = {
      {"networks",
       "127.0.0.0/8 168.100.189.0/28 [::1]/128 [2001:240:587::]/64",
       {{"", "127.1.2.3"}, {"x", "168.100.189.15"}, {"", "::1"}, {"", "2001:240:587:0:1::"}},
       {{"", "128.0.0.1"}, {"", "168.100.189.16"}, {"", "::2"}, {"127.0.0.1", ""}}},
      {"exclusion", "!192.168.0.1, 192.168.0.0/28", {{"", "192.168.0.2"}}, {{"", "192.168.0.1"}}},
      {"one address",
       "192.0.2.1 [2001:db8::1]",
       {{"", "192.0.2.1"}, {"", "2001:DB8:0::1"}},
       {{"", "192.0.2.2"}}},
      {"host names",
       "example.com",
       {{"a.example.com", "192.0.2.1"}, {"example.com", "::1"}},
       {{"unknown", "192.0.2.1"}, {"", "192.0.2.1"}}},
      {"excluded by name",
       "!bad.example.com 192.0.2.0/24",
       {{"", "192.0.2.1"}},
       {{"bad.example.com", "192.0.2.1"}}},
      {"tables, by address", "hash:192.0.2.1", {{"x", "192.0.2.1"}}, {{"x", "192.0.2.2"}}},
      {"tables, by name", "hash:example.com", {{"a.example.com", "192.0.2.1"}}, {{"org", "192.0.2.1"}}},
      {"nothing known", "0.0.0.0/0 [::]/0 example.com", {}, {{"", ""}, {"other", "no address"}}},
  };
  for (const ClientCase& c : cases) {
    SCOPED_TRACE(c.name);
    Tables tables;
    auto list = parse(c.value, kNetworks, tables);
    ASSERT_TRUE(list) << list.error().message;
    for (const auto& [name, address] : c.members)
      EXPECT_TRUE(list->matches_client(name, address).value()) << name << ' ' << address;
    for (const auto& [name, address] : c.others)
      EXPECT_FALSE(list->matches_client(name, address).value()) << name << ' ' << address;
  }
}

TEST(MatchList, AsksPatternTablesForTheWholeNameOnly) {
  Tables tables;
  auto list = parse("pcre:/x hash:y", kPlain, tables);
  ASSERT_TRUE(list);
  EXPECT_FALSE(list->matches("a.example.com").value());
  EXPECT_EQ(tables.log, (std::vector<std::string>{"a.example.com", "a.example.com", "example.com", "com"}));
}

TEST(MatchList, KeepsBracedTablesTogether) {
  Tables tables;
  auto list = parse("a, hash:{b, c}, d", kStrings, tables);
  ASSERT_TRUE(list);
  EXPECT_TRUE(list->matches("{b, c}").value());
  EXPECT_TRUE(list->matches("d").value());
  EXPECT_FALSE(list->matches("b").value());
}

TEST(MatchList, IncludesFiles) {
  const TempDirectory directory;
  directory.write("inner", "c.org !d.org\n");
  directory.write("outer", "# comment\na.org, b.org\n  e.org\n!" + directory.path("inner") + "\n");
  Tables tables;
  auto list = parse(directory.path("outer") + " c.org d.org", kStrings, tables);
  ASSERT_TRUE(list) << list.error().message;
  for (const char* name : {"a.org", "b.org", "e.org", "d.org"})
    EXPECT_TRUE(list->matches(name).value()) << name;
  for (const char* name : {"c.org", "comment", "#"}) EXPECT_FALSE(list->matches(name).value()) << name;
}

TEST(MatchList, RefusesFilesThatIncludeThemselves) {
  const TempDirectory directory;
  directory.write("loop", directory.path("loop") + " " + directory.path("loop") + "\n");
  Tables tables;
  const auto list = parse(directory.path("loop"), kStrings, tables);
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().kind, ErrorKind::kConfiguration);
  EXPECT_EQ(list.error().message,
            "list: " + directory.path("loop") + ": too many files; does one include itself?");
}

TEST(MatchList, ReportsWhatItCannotRead) {
  const std::pair<const char*, const char*> cases[] = {
      {"/nonexistent/list", "open /nonexistent/list: No such file or directory"},
      {"10.0.0.0/8 !/nonexistent/list", "open /nonexistent/list: No such file or directory"},
      {"2001:db8::1", "unsupported dictionary type: 2001:db8::1"},
      {"10.0.0.1/8",
       "list: non-null host address bits in \"10.0.0.1/8\", perhaps you should use \"10.0.0.0/8\" instead"},
      {"[host]", "list: bad address pattern: \"host\""},
      {"host/8", "list: bad network value in \"host/8\""},
  };
  for (const auto& [value, message] : cases) {
    Tables tables;
    const auto list = parse(value, kNetworks, tables);
    ASSERT_FALSE(list) << value;
    EXPECT_EQ(list.error().message, message);
  }
}

TEST(MatchList, NeverTakesAnErrorForNo) {
  Tables tables;
  auto list = parse("early fail:x late", kDotted, tables);
  ASSERT_TRUE(list);
  EXPECT_TRUE(list->matches("early").value());
  const auto late = list->matches("late");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::kTemporary);
  EXPECT_EQ(late.error().message, "list: fail:x: lookup of \"late\": server is away");

  auto clients = parse("!fail:x 192.0.2.1", kNetworks, tables);
  ASSERT_TRUE(clients);
  EXPECT_FALSE(clients->matches_client("", "192.0.2.1").has_value());
  EXPECT_FALSE(clients->matches_client("name", "").has_value());
}

}  // namespace
}  // namespace libmaps
