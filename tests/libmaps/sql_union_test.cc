#include "libmaps/sql_union.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/text.h"

namespace libmaps {
namespace {

// Templates whose queries are rows of their own, wherever they stand.
TEST(SqlUnion, JoinsSelectsOfQuotedKeys) {
  static constexpr std::string_view kTemplates[] = {
      "SELECT target FROM aliases WHERE name = '%s'",
      "select target from aliases where name='%s'",
      "  SELECT\ttarget\n FROM aliases WHERE name = '%s'  ",
      "SELECT `goto` FROM `alias` WHERE `address` = '%s' AND `active` = 1",
      "SELECT a.target FROM mail.aliases AS a JOIN domains d ON (a.id = d.id) WHERE a.name='%u' AND d.name = "
      "'%d'",
      "SELECT CONCAT(home, '/', LOWER(dir)), uid + 0 FROM users WHERE login LIKE '%%%s' AND NOT (off = "
      "'yes')",
      "SELECT 1 FROM domains WHERE name = '%s' LIMIT 1",
      "SELECT target FROM aliases WHERE name = 'it''s %s' OR (name IN ('%u', '@%d') AND a <> -1) LIMIT 5, 10",
      "SELECT t.* FROM t WHERE k = '%s'",
      "SELECT (SELECT MAX(x) FROM y) FROM t WHERE k = '%s'",
      "SELECT a %% b FROM t WHERE k = '%s' AND a %% 2 = 0",
      "SELECT 'no key' FROM t",
  };
  for (const std::string_view text : kTemplates) EXPECT_TRUE(JoinableSelect::parse(text)) << text;
}

TEST(SqlUnion, LeavesOthersAlone) {
  static constexpr struct {
    std::string_view why;
    std::string_view text;
  } kTemplates[] = {
      {"nothing", ""},
      {"one word", "SELECT"},
      {"no SELECT", "CALL lookup('%s')"},
      {"a change", "UPDATE t SET hits = hits + 1 WHERE k = '%s'"},
      {"parentheses around it", "(SELECT a FROM t WHERE k = '%s')"},
      {"no FROM", "SELECT '%s'"},
      {"a key before FROM", "SELECT CONCAT(a, '%s') FROM t WHERE k = 'x'"},
      {"a key in a column's query", "SELECT (SELECT a FROM t WHERE k = '%s') FROM u"},
      {"a key without quotes", "SELECT a FROM t WHERE k = %s"},
      {"a key in double quotes", "SELECT a FROM t WHERE k = \"%s\""},
      {"a key in a name", "SELECT a FROM `%d` WHERE k = '%s'"},
      {"a backslash", "SELECT a FROM t WHERE k = 'it\\'s %s'"},
      {"a quote that a backslash may escape", "SELECT a FROM t WHERE b = '\\' AND k = '%s'"},
      {"a quote in a name", "SELECT `a'b` FROM t WHERE k = '%s'"},
      {"two statements", "SELECT a FROM t WHERE k = '%s'; SELECT 2"},
      {"an empty statement", "SELECT a FROM t WHERE k = '%s';"},
      {"a semicolon in a text", "SELECT a FROM t WHERE k = ';%s'"},
      {"a comment with --", "SELECT a FROM t WHERE k = '%s' -- x"},
      {"a comment with #", "SELECT a FROM t WHERE k = '%s' # x"},
      {"a comment with /*", "SELECT a /* x */ FROM t WHERE k = '%s'"},
      {"code in a comment", "SELECT a FROM t WHERE k = '%s' /*!50000 LIMIT 1 */"},
      {"an open text", "SELECT a FROM t WHERE k = '%s"},
      {"an open name", "SELECT a FROM `t WHERE k = '%s'"},
      {"an open parenthesis", "SELECT a FROM t WHERE (k = '%s'"},
      {"a parenthesis too many", "SELECT a FROM t WHERE k = '%s')"},
      {"one that closes the branch", "SELECT a FROM t WHERE k = '%s') UNION ALL (SELECT 1, 2 FROM t"},
      {"a variable", "SELECT @n := @n + 1 FROM t WHERE k = '%s'"},
      {"a parameter", "SELECT a FROM t WHERE k = '%s' AND b = ?"},
      {"all columns", "SELECT * FROM t WHERE k = '%s'"},
      {"ORDER, dropped without a LIMIT", "SELECT a FROM t WHERE k = '%s' ORDER BY a"},
      {"GROUP, by the number of a column", "SELECT a FROM t WHERE k = '%s' group by 1"},
      {"DISTINCT", "SELECT DISTINCT a FROM t WHERE k = '%s'"},
      {"UNION", "SELECT a FROM t WHERE k = '%s' UNION SELECT b FROM u"},
      {"INTO", "SELECT a INTO OUTFILE 'x' FROM t WHERE k = '%s'"},
      {"FOR UPDATE", "SELECT a FROM t WHERE k = '%s' FOR UPDATE"},
      {"a limit for the whole statement", "SELECT a FROM t WHERE k = '%s' LIMIT ROWS EXAMINED 100"},
      {"a function of the user's", "SELECT f(a) FROM t WHERE k = '%s'"},
      {"the same, apart", "SELECT f (a) FROM t WHERE k = '%s'"},
      {"the same, of a schema", "SELECT mail.lower(a) FROM t WHERE k = '%s'"},
      {"the same, in quotes", "SELECT `lower` (a) FROM t WHERE k = '%s'"},
      {"a function that waits", "SELECT a FROM t WHERE k = '%s' AND SLEEP(1)"},
      {"a function of the statement before", "SELECT FOUND_ROWS() FROM t WHERE k = '%s'"},
      {"an ODBC escape", "SELECT {fn lower(a)} FROM t WHERE k = '%s'"},
      {"letters other than ASCII's", "SELECT \xc3\xa9 FROM t WHERE k = '%s'"},
      {"a zero byte", std::string_view("SELECT a FROM t WHERE k = '%s' \0", 32)},
  };
  for (const auto& [why, text] : kTemplates) EXPECT_FALSE(JoinableSelect::parse(text)) << why << ": " << text;
}

TEST(SqlUnion, NumbersTheBranches) {
  const auto select = JoinableSelect::parse(" select a FROM t WHERE k = '%s' LIMIT 1");
  ASSERT_TRUE(select);
  EXPECT_EQ(select->join(2, 2),
            "(SELECT 0, a FROM t WHERE k = ? LIMIT 1) UNION ALL (SELECT 1, a FROM t WHERE k = ? LIMIT 1) "
            "UNION ALL (SELECT 2,NULL,NULL)");
  EXPECT_EQ(select->join(1, 1), "(SELECT 0, a FROM t WHERE k = ? LIMIT 1) UNION ALL (SELECT 1,NULL)");
}

// A text with a part of the key is a parameter as a whole, without its quotes; other texts stay.
TEST(SqlUnion, ParametersAreTexts) {
  const struct {
    std::string_view condition;
    std::string_view text;
    std::vector<std::string> parameters;
  } cases[] = {
      {"a = '%s'", "a = ?", {"%s"}},
      {"a = 'x' AND b = '%u'", "a = 'x' AND b = ?", {"%u"}},
      {"a LIKE '%%@%d' AND b % 2 = 1", "", {}},
      {"a LIKE '%%@%d' AND b %% 2 = 1", "a LIKE ? AND b % 2 = 1", {"%%@%d"}},
      {"a = 'it''s %s' OR a = 'it''s 5 %%'", "a = ? OR a = 'it''s 5 %'", {"it's %s"}},
      {"a IN ('%u','%1-%2',)", "a IN (?,?,)", {"%u", "%1-%2"}},
      {"a = '?' AND b = '%s'", "a = '?' AND b = ?", {"%s"}},
      {"a = '' OR a = '%s'", "a = '' OR a = ?", {"%s"}},
      {"a = '%%s'", "a = '%s'", {}},
      {"a = 'x''", "", {}},
      {"a = '%s%", "", {}},
  };
  for (const auto& [condition, text, parameters] : cases) {
    const auto select = JoinableSelect::parse(libconf::concat("SELECT v FROM t WHERE ", condition));
    ASSERT_EQ(select.has_value(), !text.empty()) << condition;
    if (!select) continue;
    EXPECT_EQ(select->join(1, 1),
              libconf::concat("(SELECT 0, v FROM t WHERE ", text, ") UNION ALL (SELECT 1,NULL)"));
    EXPECT_EQ(select->parameters(), parameters) << condition;
  }
}

// Whatever is cut out of, or put into a good template: a text that ends is all that may follow a quote.
TEST(SqlUnion, AcceptsNoOpenQuotes) {
  const std::string good = "SELECT `a`, b FROM t WHERE (k = '%s' AND c <> 'x')";
  ASSERT_TRUE(JoinableSelect::parse(good));
  std::mt19937 random(20261124);
  static constexpr std::string_view kBytes = "'`\"\\;()%s -#/*@";
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text = good;
    for (int edits = 0; edits < 3; ++edits) {
      const std::size_t at = random() % text.size();
      if (random() % 2 == 0)
        text.erase(at, 1 + random() % 3);
      else
        text.insert(at, 1, kBytes[random() % kBytes.size()]);
      if (text.empty()) break;
    }
    if (text.empty() || !JoinableSelect::parse(text)) continue;
    ++accepted;
    // As a server reads it, which knows of '' and ``: each conversion is in a text, and no text or name is
    // open.
    char quote = 0;
    int depth = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
      const char c = text[at];
      EXPECT_TRUE(c != '\\' && c != ';') << text;
      EXPECT_TRUE(quote != 0 || (c != '"' && c != '#' && c != '@')) << text;
      if (quote == 0 && (c == '\'' || c == '`'))
        quote = c;
      else if (c == quote)
        quote = 0;
      else if (quote == 0)
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      EXPECT_GE(depth, 0) << text;
      if (c != '%') continue;
      ++at;
      EXPECT_TRUE(quote == '\'' || (quote == 0 && at < text.size() && text[at] == '%')) << text;
    }
    EXPECT_EQ(quote, 0) << text;
    EXPECT_EQ(depth, 0) << text;
  }
  EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace libmaps
