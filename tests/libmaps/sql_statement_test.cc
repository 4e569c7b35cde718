#include "libmaps/sql_statement.h"

#include <gtest/gtest.h>

#include "libconf/text.h"

namespace libmaps {
namespace {

/// "TEXT | PARAMETER | ...", or "(none)".
std::string shown(const SqlTraits& traits) {
  if (!traits.statement) return "(none)";
  std::string text = traits.statement->text;
  for (const std::string& parameter : traits.statement->parameters) text += " | " + parameter;
  return text;
}

TEST(SqlStatement, TakesQuotedConversionsForParameters) {
  static constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"SELECT v FROM t WHERE k = '%s'", "SELECT v FROM t WHERE k =  $1  | %s"},
      {"select v from t where k='%u@%d'and d='%d'", "select v from t where k= $1 and d= $2  | %u@%d | %d"},
      {"  values ('%s')", "  values ( $1 ) | %s"},
      {"WITH x AS (SELECT 1) SELECT '%s'", "WITH x AS (SELECT 1) SELECT  $1  | %s"},
      {"SELECT v FROM t WHERE k LIKE '%%%s%%'", "SELECT v FROM t WHERE k LIKE  $1  | %%%s%%"},
      {"SELECT v FROM t WHERE k LIKE 'a%%' AND 7 %% 2 = 1 AND n = '%1'",
       "SELECT v FROM t WHERE k LIKE 'a%' AND 7 % 2 = 1 AND n =  $1  | %1"},
      {"SELECT 'it''s;', 'it''s %s'", "SELECT 'it''s;',  $1  | it's %s"},
      {"SELECT '%s' ; ", "SELECT  $1  ;  | %s"},
      {"SELECT '''%s'''", "SELECT  $1  | '%s'"},
      {"SELECT 1", "SELECT 1"},
  };
  for (const auto& [query, expected] : kCases) {
    EXPECT_EQ(shown(sql_traits(query)), expected) << query;
    EXPECT_FALSE(sql_traits(query).has_key_in_escape_string) << query;
  }
}

TEST(SqlStatement, LeavesAloneWhatIsNotCertain) {
  for (const std::string_view query : {
           "",
           "-- '%s'",
           "UPDATE t SET v = '%s'",
           "selected '%s'",
           "(SELECT '%s')",
           "SELECT 1; SELECT '%s'",
           "SELECT '%s';;",
           "SELECT v FROM t WHERE k = %s",
           "SELECT v FROM t WHERE k = \"%s\"",
           "SELECT v FROM \"t\" WHERE k = '%s'",
           "SELECT $$%s$$",
           "SELECT $x$'$x$, '%s'",
           "SELECT '%s' -- ; '",
           "SELECT '%s' /* ' */",
           "SELECT '%s\\'",
           "SELECT 'a\\', '%s'",
           "SELECT N'%s'",
           "SELECT U&'%s'",
           "SELECT b'%s'",
           "SELECT '%s",
           "SELECT '%s''",
       })
    EXPECT_EQ(shown(sql_traits(query)), "(none)") << query;
}

TEST(SqlStatement, FindsKeysInEscapeStrings) {
  static constexpr std::pair<std::string_view, bool> kCases[] = {
      {"SELECT E'%s'", true},          {"SELECT e'a\\'b%s'", true}, {"SELECT E'a''b%s'", true},
      {"SELECT E'a', '%s'", false},    {"SELECT E'a%%b'", false},   {"SELECT 'E''%s'", false},
      {"SELECT E'\\\\', '%s'", false},
  };
  for (const auto& [query, expected] : kCases) {
    EXPECT_EQ(sql_traits(query).has_key_in_escape_string, expected) << query;
    EXPECT_FALSE(sql_traits(query).statement && expected) << query;
  }
}

}  // namespace
}  // namespace libmaps
