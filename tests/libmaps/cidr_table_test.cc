#include "libmaps/cidr_table.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "libmaps/cidr_index.h"
#include "libmaps/cidr_rules.h"
#include "tests/libconf/diagnostic_messages.h"
#include "tests/libconf/temp_directory.h"

namespace libmaps {
namespace {

using libconf::DiagnosticDiscard;
using libconf::DiagnosticList;
using Messages = std::vector<std::string>;
using Lookups = std::vector<std::pair<std::string, std::string>>;

const libconf::Settings& no_settings() {
  static const libconf::Settings settings(nullptr, {});
  return settings;
}

Result<std::unique_ptr<Table>> open(std::string_view name, libconf::DiagnosticSink& sink) {
  return open_cidr(name, {.settings = no_settings(), .warnings = sink});
}

/// The value, or "-" where there is none.
std::string ask(Table& table, std::string_view key) {
  const auto value = table.lookup(key);
  if (!value) return "error: " + value.error().message;
  return value->value_or("-");
}

/// A table in a file, what it is asked, and what it reports of itself as table "m".
struct Case {
  const char* name;
  std::string text;
  Lookups lookups;
  Messages messages = {};
};

std::string skipped(int line, const std::string& why) {
  return "cidr map m, line " + std::to_string(line) + ": " + why + ": skipping this rule";
}

std::string unclosed(int line) {
  return "cidr map m, line " + std::to_string(line) + ": IF has no matching ENDIF";
}

void expect(const Case& c) {
  SCOPED_TRACE(c.name);
  DiagnosticList findings;
  SourceReader reader = SourceReader::from_text("m", c.text);
  const auto rules = read_cidr_rules(reader, findings);
  ASSERT_TRUE(rules);
  EXPECT_EQ(messages(findings), c.messages);

  const postkit_test::TempDirectory directory;
  directory.write("m", c.text);
  DiagnosticDiscard discard;
  const auto table = open(directory.path("m"), discard);
  ASSERT_TRUE(table);
  for (const auto& [key, value] : c.lookups) EXPECT_EQ(ask(**table, key), value) << key;
}

// Every case was seen on Postfix.
TEST(CidrTable, FindsTheFirstMatch) {
  const Case cases[] = {
      {"order counts, not length",
       "198.51.100.0/24 first\n198.51.100.5 second\n",
       {{"198.51.100.5", "first"}, {"198.51.101.5", "-"}}},
      {"host before network",
       "192.0.2.7 host\n192.0.2.0/25 low\n192.0.2.0/24 net\n0.0.0.0/0 all\n",
       {{"192.0.2.7", "host"}, {"192.0.2.8", "low"}, {"192.0.2.200", "net"}, {"203.0.113.1", "all"}}},
      {"IPv6",
       "2001:db8::/32 doc\n2001:DB8:0:0::5 never\n[::1] loop\n::/0 rest\n::ffff:192.0.2.0/120 mapped\n",
       {{"2001:0db8:0::5", "doc"}, {"::1", "loop"}, {"2001:db9::", "rest"}, {"::ffff:192.0.2.1", "rest"}}},
      {"families do not meet",
       "0.0.0.0/0 four\n::/64 six\n",
       {{"::ffff:1.2.3.4", "six"}, {"1.2.3.4", "four"}}},
      {"keys that are no addresses",
       "0.0.0.0/0 four\n::/0 six\n",
       {{"", "-"},
        {"name", "-"},
        {"192.0.2", "-"},
        {"[1.2.3.4]", "-"},
        {"010.1.1.1", "-"},
        {"::1%lo", "-"},
        {"1.2.3.4/32", "-"},
        {"IPv6:::1", "-"}}},
      {"brackets",
       "[10.0.0.0]/8 outside\n[11.0.0.0/8] inside\n",
       {{"10.0.0.1", "outside"}, {"11.0.0.1", "inside"}}},
  };
  for (const Case& c : cases) expect(c);
}

TEST(CidrTable, ReadsTheLayoutOfLines) {
  const Case cases[] = {
      {"continuations",
       "192.0.2.1   spaced   value  here  \n  continued\n   # x\n192.0.2.2\tt\n 192.0.2.3 joined\n",
       {{"192.0.2.1", "spaced   value  here    continued"},
        {"192.0.2.2", "t 192.0.2.3 joined"},
        {"192.0.2.3", "-"}}},
      {"blanks of every kind", "10.0.0.0/8\v\fx\v\r\n", {{"10.0.0.1", "x"}}},
      {"an orphan",
       " 10.0.0.0/8 x\n10.0.0.0/8 y\n",
       {{"10.0.0.1", "y"}},
       {"m: logical line must not start with whitespace: \" 10.0.0.0/8 x\""}},
      {"a faulty rule of two lines",
       "10.0.0.0/33\n  bad\nfoo\n # c\n  bar\n",
       {},
       {skipped(1, R"(bad mask length in "10.0.0.0/33")"), skipped(3, R"(bad address pattern: "foo")")}},
      {"no value",
       "10.0.0.0/8\n::/0 \n10.0.0.0/33\n",
       {{"10.0.0.1", "-"}},
       {skipped(1, "no lookup result"), skipped(2, "no lookup result"),
        skipped(3, R"(bad mask length in "10.0.0.0/33")")}},
      {"a blank ends the pattern",
       "10.0.0.0 /8 x\n10.0.0.0/ 8 x\n[10.0.0.1 ] x\n",
       {{"10.0.0.0", "/8 x"}, {"10.0.0.1", "-"}},
       {skipped(2, R"(bad mask value in "10.0.0.0/")"),
        skipped(3, R"(missing ']' character after "[10.0.0.1")")}},
  };
  for (const Case& c : cases) expect(c);
}

TEST(CidrTable, Negates) {
  const Case cases[] = {
      {"within the family",
       "!192.0.2.0/24 not-us\n! 198.51.100.0/24 spaced\n192.0.2.5 us\n",
       {{"192.0.2.5", "spaced"}, {"203.0.113.5", "not-us"}, {"2001:db8::1", "-"}}},
      {"twice", "!!10.3.0.0/16 x\n", {{"10.3.0.1", "x"}, {"10.4.0.1", "-"}}},
      {"three times", "! ! !10.3.0.0/16 x\n", {{"10.3.0.1", "-"}, {"10.4.0.1", "x"}}},
      {"everything", "!0.0.0.0/0 never\n", {{"0.0.0.0", "-"}, {"255.255.255.255", "-"}}},
      {"nothing",
       "!\n!   \n!10.3.0.0/16\n![::1]\n",
       {},
       {skipped(1, "no address pattern"), skipped(2, "no address pattern"), skipped(3, "no lookup result"),
        skipped(4, "no lookup result")}},
  };
  for (const Case& c : cases) expect(c);
}

TEST(CidrTable, ObeysIf) {
  const Case cases[] = {
      {"in any case of letters",
       "IF 10.0.0.0/8\n0.0.0.0/0 in\nEndIf\n0.0.0.0/0 out\n",
       {{"10.1.0.1", "in"}, {"11.0.0.1", "out"}}},
      {"negated",
       "if !10.0.0.0/8\n0.0.0.0/0 outside\nendif\n0.0.0.0/0 rest\n",
       {{"10.1.0.1", "rest"}, {"11.0.0.1", "outside"}}},
      {"nested",
       "if 10.0.0.0/8\nif !10.0.0.0/9\n0.0.0.0/0 high\nendif\n10.1.0.0/16 low\nendif\n",
       {{"10.200.0.1", "high"}, {"10.1.0.1", "low"}, {"10.2.0.1", "-"}, {"11.0.0.1", "-"}}},
      {"the other family inside",
       "if !10.0.0.0/8\n::/0 six\nendif\nif !::1\n0.0.0.0/0 f\n::/0 s\nendif\n"
       "if 10.0.0.0/8\nif ::/0\n0.0.0.0/0 u\nendif\n0.0.0.0/0 w\nendif\n",
       {{"10.0.0.1", "w"}, {"11.0.0.1", "-"}, {"::1", "-"}, {"::2", "s"}}},
      {"without blanks",
       "if!10.0.0.0/8\n0.0.0.0/0 a\nendif\nif[10.0.0.0/8]\n0.0.0.0/0 b\nendif\nif::/0\n::/0 c\nendif\n",
       {{"10.0.0.1", "b"}, {"11.0.0.1", "a"}, {"::", "c"}}},
      {"bad conditions",
       "endif\nif 192.0.2.0/24 text\n192.0.2.0/24 in\nendif text\nif\nif 192.0.2.0/24\n192.0.2.1 x\n",
       {{"192.0.2.1", "in"}},
       {skipped(1, "ENDIF without IF"), skipped(2, R"(bad mask value in "192.0.2.0/24 text")"),
        skipped(4, "garbage after ENDIF"), skipped(5, "no address pattern"), unclosed(6)}},
      {"unclosed",
       "if 10.0.0.0/8\nif 10.0.0.0/9\nif 10.0.0.0/10\n10.0.0.0/8 x\n",
       {{"10.0.0.1", "x"}, {"10.64.0.1", "-"}},
       {unclosed(3), unclosed(2), unclosed(1)}},
      {"a faulty endif closes nothing",
       "if 10.0.0.0/8\nendif x\n0.0.0.0/0 a\n",
       {{"10.0.0.1", "a"}, {"11.0.0.1", "-"}},
       {skipped(2, "garbage after ENDIF"), unclosed(1)}},
      {"what is a keyword",
       "iffy 1\nif_ x\nendif_\nendifx 1\nendif!\nif0 1\nif-\nif [10.0.0.1 ]\n",
       {},
       {skipped(1, R"(bad address pattern: "iffy")"), skipped(2, R"(bad address pattern: "_ x")"),
        skipped(3, "garbage after ENDIF"), skipped(4, R"(bad address pattern: "endifx")"),
        skipped(5, "garbage after ENDIF"), skipped(6, R"(bad address pattern: "if0")"),
        skipped(7, R"(bad address pattern: "-")"), skipped(8, R"(bad address pattern: "10.0.0.1 ")")}},
  };
  for (const Case& c : cases) expect(c);
}

TEST(CidrTable, ReadsInlineRules) {
  DiagnosticList findings;
  const auto table = open("{{foo bar}, {  0.0.0.0/0   a  b  }, {#}, {}}", findings);
  ASSERT_TRUE(table);
  EXPECT_EQ((*table)->name(), "cidr:{{foo bar}, {  0.0.0.0/0   a  b  }, {#}, {}}");
  EXPECT_EQ(ask(**table, "1.2.3.4"), "a  b");
  EXPECT_EQ(messages(findings), Messages{"cidr map {{foo bar}, {  0.0.0.0/0   a  b  }, {#}, {}}, line 1: "
                                         "bad address pattern: \"foo\": skipping this rule"});
}

TEST(CidrTable, ReportsWhatCannotBeOpened) {
  DiagnosticDiscard discard;
  const auto missing = open("/nonexistent/absent", discard);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "open /nonexistent/absent: No such file or directory");
  const auto braces = open("{{0.0.0.0/0 v4}", discard);
  ASSERT_FALSE(braces);
  EXPECT_EQ(braces.error().message, "cidr map: missing '}' in \"{{0.0.0.0/0 v4}\"");
}

/// Random tables whose networks overlap and touch: few distinct top and low bits, every length, the shortest
/// and the longest more often.
class RandomTable {
 public:
  explicit RandomTable(std::uint32_t seed) : random_(seed) {}

  template <class Address>
  Address address() {
    const auto word = [this] {
      return (random_() & 0xE000'0003U) | (random_() % 4 == 0 ? random_() & 0xFFFFU : 0);
    };
    if constexpr (std::is_same_v<Address, Ipv4Address>)
      return Ipv4Address{static_cast<std::uint32_t>(word())};
    else
      return Ipv6Address{std::uint64_t{word()} << 32 | word(), std::uint64_t{word()} << 32 | word()};
  }

  template <class Address>
  std::string pattern() {
    const int some = static_cast<int>(random_() % (Address::kBits + 1));
    const int length = chance(2) ? some : chance(2) ? some % 4 : Address::kBits - some % 4;
    const Address any = address<Address>();
    return (chance(4) ? "!" : "") + to_string(any & prefix_mask(any, length)) + "/" + std::to_string(length);
  }

  std::string any_pattern() { return chance(2) ? pattern<Ipv4Address>() : pattern<Ipv6Address>(); }

  std::string text(std::size_t lines) {
    std::string out;
    for (std::size_t i = 0; i < lines; ++i) {
      if (chance(8))
        out += "if " + any_pattern() + "\n";
      else if (chance(8))
        out += "endif\n";
      else
        out += any_pattern() + " v" + std::to_string(random_() % lines) + "\n";
    }
    return out;
  }

  bool chance(unsigned of) { return random_() % of == 0; }

 private:
  std::mt19937 random_;
};

template <class Address>
void expect_same(const std::vector<CidrRule<Address>>& rules, RandomTable& random) {
  const auto index = CidrIndex<Address>::build(rules);
  ASSERT_TRUE(index);
  std::vector<Address> keys = {Address{}, ~Address{}};
  for (int i = 0; i < 20; ++i) keys.push_back(random.template address<Address>());
  // The answer changes beside the ends of networks, if anywhere.
  for (const CidrRule<Address>& rule : rules)
    for (const Address end : {rule.network.address, rule.network.last()})
      keys.insert(keys.end(), {previous(end), end, next(end)});
  for (const Address key : keys) ASSERT_EQ(index->find(key), find_linear(rules, key)) << to_string(key);
}

TEST(CidrIndex, FindsWhatAScanFinds) {
  std::size_t rules_seen = 0;
  for (std::uint32_t seed = 0; seed < 600; ++seed) {
    SCOPED_TRACE(seed);
    RandomTable random(seed);
    SourceReader reader = SourceReader::from_text("m", random.text(1 + seed % 120));
    DiagnosticDiscard discard;
    const auto rules = read_cidr_rules(reader, discard);
    ASSERT_TRUE(rules);
    expect_same(rules->ipv4, random);
    expect_same(rules->ipv6, random);
    rules_seen += rules->ipv4.size() + rules->ipv6.size();
  }
  EXPECT_GT(rules_seen, 10000U);
}

TEST(CidrIndex, GivesUpOnDeepNegation) {
  std::string text;
  for (int i = 0; i < 2000; ++i)
    text += "if !10." + std::to_string(i / 128) + "." + std::to_string(i % 128 * 2) + ".0/24\n";
  text += "0.0.0.0/0 outside\n";
  DiagnosticDiscard discard;
  SourceReader reader = SourceReader::from_text("m", text);
  const auto rules = read_cidr_rules(reader, discard);
  ASSERT_TRUE(rules);
  EXPECT_FALSE(CidrIndex<Ipv4Address>::build(rules->ipv4));

  const postkit_test::TempDirectory directory;
  directory.write("m", text);
  const auto table = open(directory.path("m"), discard);
  ASSERT_TRUE(table);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(ask(**table, "10.0.2.1"), "-");
    ASSERT_EQ(ask(**table, "10.0.3.1"), "outside");
  }
}

// The index comes with one of these lookups; no answer changes.
TEST(CidrTable, AnswersTheSameBeforeAndAfterItBuildsTheIndex) {
  RandomTable random(99);
  const std::string text = random.text(300);
  const postkit_test::TempDirectory directory;
  directory.write("m", text);
  DiagnosticDiscard discard;
  std::vector<std::string> keys;
  for (int i = 0; i < 50; ++i) {
    keys.push_back(to_string(random.address<Ipv4Address>()));
    keys.push_back(to_string(random.address<Ipv6Address>()));
  }
  const auto busy = open(directory.path("m"), discard);
  ASSERT_TRUE(busy);
  for (int round = 0; round < 3; ++round) {
    for (const std::string& key : keys) {
      const auto fresh = open(directory.path("m"), discard);
      ASSERT_TRUE(fresh);
      ASSERT_EQ(ask(**busy, key), ask(**fresh, key)) << key;
    }
  }
}

}  // namespace
}  // namespace libmaps
