#include "libmaps/query_template.h"

#include <gtest/gtest.h>

#include <random>

#include "libconf/text.h"
#include "libmaps/sql_query.h"
#include "tests/libconf/random_bytes.h"
#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/table_fixture.h"

namespace libmaps {
namespace {

using libconf::Result;
using postkit_test::TableFixture;
using postkit_test::TempDirectory;

constexpr std::string_view kSuppressed = "(suppressed)";

/// Rules for a query, with other settings.
class Rules {
 public:
  explicit Rules(std::string_view query, std::string_view settings = "", DomainPredicateMaker domains = {}) {
    directory_.write("q.cf", settings);
    fixture_.context.match_domains = std::move(domains);
    const auto config = TableConfig::open(directory_.path("q.cf"), fixture_.context);
    if (!config) throw std::runtime_error(config.error().message);
    rules_ = QueryRules::read(*config, "sqlite", query, "sqlite:q.cf", fixture_.context);
  }

  const Result<QueryRules>& read() const { return rules_; }
  std::string file() const { return directory_.path("q.cf"); }
  std::vector<std::string> warned() const { return fixture_.warned(); }

  std::string query(std::string_view key) const {
    const Result<bool> accepted = rules_->accepts(key);
    if (!accepted) return "error: " + accepted.error().message;
    return *accepted ? rules_->query_for(key, {}) : std::string(kSuppressed);
  }

  std::string results(std::string_view key, const std::vector<std::string>& values) const {
    ResultList list(*rules_, key);
    for (const std::string& value : values)
      if (!list.add(value)) return "(over the limit)";
    return list.take().value_or("(none)");
  }

 private:
  TempDirectory directory_;
  TableFixture fixture_;
  Result<QueryRules> rules_ = libconf::Error{};
};

// What Postfix 3.7 gives for a query of the same template.
TEST(QueryTemplate, ExpandsPartsOfTheKey) {
  static constexpr struct {
    std::string_view text;
    std::string_view key;
    std::string_view expected;
  } kCases[] = {
      {"100%% %s", "a", "100% a"},
      {"%u", "@d.x", kSuppressed},
      {"%s", "@d.x", "@d.x"},
      {"%d", "@d.x", "d.x"},
      {"%1|%2", "@d.x", "x|d"},
      {"%1|%2", "d.x", kSuppressed},
      {"%1|%2", "a@d", kSuppressed},
      {"%1|%2", "a@d..x", "x|d"},
      {"%1|%2|%3", "a@d..x", kSuppressed},
      {"%1|%2", "a@.x", kSuppressed},
      {"%1", "a@x.", "x"},
      {"%1", "a@.", kSuppressed},
      {"%u|%d", "a@b@c", "a@b|c"},
      {"%u|%d", "\"a@b\"@c", "\"a@b\"|c"},
      {"%u", "plain", "plain"},
      {"%d", "plain", kSuppressed},
      {"%3", "ox@d.e", kSuppressed},
      {"%1%3", "ox@c.d.e", "ec"},
      {"%S%U%D", "ox@c.d", "ox@c.doxc.d"},
      {"%u", "u@", "u"},
      {"%d", "u@", kSuppressed},
      {"%s", "@", "@"},
      {"%9", "u@9.8.7.6.5.4.3.2.1", "9"},
  };
  for (const auto& [text, key, expected] : kCases)
    EXPECT_EQ(Rules(text).query(key), expected) << text << ' ' << key;
}

TEST(QueryTemplate, RefusesOtherConversions) {
  for (const char* text : {"%", "x%", "%0", "%q", "%%%", "a % b"}) {
    const Rules query(text);
    ASSERT_FALSE(query.read()) << text;
    EXPECT_EQ(query.read().error().message,
              "db_common_parse: " + query.file() + ": Invalid query template: " + text);
    const Rules result("%s", std::string("result_format = ") + text + "\n");
    ASSERT_FALSE(result.read()) << text;
    EXPECT_EQ(result.read().error().message,
              "db_common_parse: " + result.file() + ": Invalid result template: " + text);
  }
}

TEST(QueryTemplate, QuotesEveryPart) {
  TableFixture fixture;
  const QueryTemplate query = *QueryTemplate::parse("<%s> %u %d %2 %%", QueryTemplate::Role::kQuery);
  const auto star = [](std::string_view text, std::string& out) { out += "*" + std::string(text) + "*"; };
  std::string out;
  const QueryAddress key("a%sb@c.d");
  ASSERT_TRUE(query.expand(key, key, star, out));
  EXPECT_EQ(out, "<*a%sb@c.d*> *a%sb* *c.d* *c* %");
}

TEST(QueryRules, SuppressesAKeyThatTheResultFormatCannotUse) {
  EXPECT_EQ(Rules("%s", "result_format = %D\n").query("plain"), kSuppressed);
  EXPECT_EQ(Rules("%s", "result_format = %U\n").query("@foo"), kSuppressed);
  EXPECT_EQ(Rules("%s", "result_format = %2\n").query("a@b"), kSuppressed);
  EXPECT_EQ(Rules("%s", "result_format = %u %d\n").query("plain"), "plain");
}

TEST(QueryRules, IgnoresAnEmptyKey) {
  const Rules rules("const");
  EXPECT_EQ(rules.query(""), kSuppressed);
  EXPECT_EQ(rules.warned(), std::vector<std::string>{"table \"sqlite:q.cf\": empty query string -- ignored"});
}

TEST(QueryRules, AsksForFullAddressesInListedDomainsOnly) {
  std::string asked;
  const Rules rules("%s", "domain = d.example, fail\n",
                    [&](std::string_view patterns, std::string_view place) {
                      EXPECT_EQ(patterns, "d.example, fail");
                      EXPECT_TRUE(place.ends_with("/q.cf"));
                      return Result<DomainPredicate>([&](std::string_view domain) -> Result<bool> {
                        asked += std::string(domain) + ' ';
                        if (domain == "fail") return libconf::Error{.message = "Application error"};
                        return domain == "d.example";
                      });
                    });
  EXPECT_EQ(rules.query("u@d.example"), "u@d.example");
  EXPECT_EQ(rules.query("u@e.example"), kSuppressed);
  EXPECT_EQ(rules.query("u@fail"), "error: Application error");
  EXPECT_EQ(asked, "d.example e.example fail ");
  for (const char* key : {"u", "d.example", "@d.example"}) EXPECT_EQ(rules.query(key), kSuppressed) << key;
  EXPECT_EQ(asked, "d.example e.example fail ");
  // An empty domain may be in a list, too.
  EXPECT_EQ(rules.query("u@"), kSuppressed);
  EXPECT_EQ(asked, "d.example e.example fail  ");
}

TEST(QueryRules, ReportsADomainListThatCannotBeMade) {
  const Rules rules("%s", "domain = nosuch:x\n", [](std::string_view, std::string_view) {
    return Result<DomainPredicate>(libconf::Error{.message = "unsupported dictionary type: nosuch"});
  });
  ASSERT_FALSE(rules.read());
  EXPECT_EQ(rules.read().error().message, "unsupported dictionary type: nosuch");
}

TEST(QueryRules, ChecksSettingsInPostfixsOrder) {
  const Rules limit("%0", "expansion_limit = x\n");
  EXPECT_EQ(limit.read().error().message,
            limit.file() + ": bad numerical configuration: expansion_limit = x");
  const Rules empty("%s", "result_format =\n");
  EXPECT_EQ(empty.read().error().message, empty.file() + ": bad string length 0 < 1: result_format = ");
}

TEST(QueryRules, MayHaveSeveralQueries) {
  const TempDirectory directory;
  directory.write("l.cf", "");
  TableFixture fixture;
  const auto config = TableConfig::open(directory.path("l.cf"), fixture.context);
  static constexpr std::string_view kQueries[] = {"dc=%d", "(cn=%u)", "all"};
  auto rules = QueryRules::make(*config, "ldap", kQueries, "%s", "ldap:l.cf", fixture.context);
  ASSERT_TRUE(rules) << rules.error().message;
  EXPECT_EQ(rules->query_for("a@b", {}, 0), "dc=b");
  EXPECT_EQ(rules->query_for("a@b", {}, 1), "(cn=a)");
  EXPECT_FALSE(rules->is_constant(0));
  EXPECT_TRUE(rules->is_constant(2));
  EXPECT_FALSE(*rules->accepts("a"));  // The first query needs a domain.
  EXPECT_TRUE(*rules->accepts("a@b"));
  ResultList list(*rules, "a@b");
  EXPECT_TRUE(list.append("x") && list.append("y"));
  rules->set_expansion_limit(2);
  EXPECT_FALSE(list.append("z"));
  EXPECT_TRUE(fixture.warned().empty());  // Whose limit it is words the warning.
}

TEST(ResultList, FormatsAndJoinsValues) {
  static const struct {
    std::string format;
    std::string_view key;
    std::vector<std::string> values;
    std::string_view expected;
  } kCases[] = {
      {"%s", "k", {}, "(none)"},
      {"%s", "k", {"a", "b,c"}, "a,b,c"},
      {"smtp:[%s]", "k", {"m1", "m2"}, "smtp:[m1],smtp:[m2]"},
      {"const", "k", {"a", "b"}, "const,const"},
      {"%u at %d", "k", {"a@b", "plain", "@b", "c@d"}, "a at b,c at d"},
      {"x%u", "k", {"@b", "a@"}, "xa"},
      {"%s (%U %D %1)", "u@d.example", {"v"}, "v (u d.example example)"},
      {"100%%", "k", {"v"}, "100%"},
  };
  for (const auto& [format, key, values, expected] : kCases)
    EXPECT_EQ(Rules("%s", "result_format = " + format + "\n").results(key, values), expected) << format;
}

TEST(ResultList, PassesOverEmptyValuesWithAWarning) {
  const Rules rules("%s", "result_format = const\nexpansion_limit = 1\n");
  EXPECT_EQ(rules.results("k", {"", "x"}), "const");
  EXPECT_EQ(rules.warned(),
            std::vector<std::string>{"table \"sqlite:q.cf\": empty lookup result for: \"k\" -- ignored"});
}

TEST(ResultList, FailsBeyondTheLimit) {
  const Rules rules("%s", "expansion_limit = 2\nresult_format = %u\n");
  EXPECT_EQ(rules.results("k", {"a", "@skipped", "b"}), "a,b");
  EXPECT_TRUE(rules.warned().empty());
  EXPECT_EQ(rules.results("k", {"a", "b", "c"}), "(over the limit)");
  EXPECT_EQ(rules.warned(), std::vector<std::string>{"dict_sqlite_lookup: " + rules.file() +
                                                     ": Expansion limit exceeded for key 'k'"});
  EXPECT_EQ(Rules("%s", "expansion_limit = -1\n").results("k", {"a", "b"}), "a,b");
}

TEST(QueryAddress, AreParts) {
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string text = libconf::random_bytes(random, 12);
    for (char& c : text) c = "@.ab"[static_cast<unsigned char>(c) % 4];
    const QueryAddress parts(text);
    const std::string_view at = text.find('@') == std::string::npos ? "" : "@";
    EXPECT_EQ(libconf::concat(parts.local_part(), at, parts.domain()), text);
    // The labels, most significant first, are the words of the domain from its end.
    std::vector<std::string> words;
    std::string_view rest = parts.domain();
    while (const auto word = libconf::next_word(rest, ".")) words.emplace_back(*word);
    for (unsigned n = 1; n <= 9; ++n)
      EXPECT_EQ(parts.label(n), n <= words.size() ? words[words.size() - n] : "") << text << ' ' << n;
  }
}

TEST(SqlQuery, PrefersQueryToItsParts) {
  const TempDirectory directory;
  TableFixture fixture;
  const auto read = [&](std::string_view settings) {
    directory.write("q.cf", settings);
    const auto config = TableConfig::open(directory.path("q.cf"), fixture.context);
    const Result<std::string> query = read_sql_query(*config, "sqlite:q.cf", fixture.warnings);
    return query ? *query : query.error().message.substr(directory.path("q.cf: ").size());
  };
  const std::string parts =
      "table = t\nselect_field = v\nwhere_field = k\nadditional_conditions = AND x = 1\n";
  EXPECT_EQ(read("query = SELECT 1\n" + parts), "SELECT 1");
  EXPECT_EQ(read(parts), "SELECT v FROM t WHERE k='%s' AND x = 1");
  EXPECT_EQ(read("query =\n"), "bad string length 0 < 1: table = ");
  EXPECT_EQ(read("table = t\n"), "bad string length 0 < 1: select_field = ");
  EXPECT_EQ(read("table = t\nselect_field = v\n"), "bad string length 0 < 1: where_field = ");
  EXPECT_TRUE(fixture.warned().empty());
}

TEST(SqlQuery, WarnsOfConversionsOutsideQuotes) {
  const TempDirectory directory;
  TableFixture fixture;
  directory.write("q.cf", "query = SELECT '%u%%', \"%d\", 5 %% 2 WHERE k = %s\n");
  const auto config = TableConfig::open(directory.path("q.cf"), fixture.context);
  ASSERT_TRUE(read_sql_query(*config, "sqlite:q.cf", fixture.warnings));
  const std::string start = "sqlite:q.cf: query >SELECT '%u%%', \"%d\", 5 %% 2 WHERE k = %s< contains >";
  const std::vector<std::string> expected = {start + "%d< without the recommended '' quotes",
                                             start + "%s< without the recommended '' quotes"};
  EXPECT_EQ(fixture.warned(), expected);
}

}  // namespace
}  // namespace libmaps
