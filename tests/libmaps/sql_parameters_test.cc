#include "libmaps/sql_parameters.h"

#include <gtest/gtest.h>

#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/table_fixture.h"

namespace libmaps {
namespace {

using postkit_test::TableFixture;
using postkit_test::TempDirectory;

TEST(QueryWithParameters, TakesWhatIsAStringAlone) {
  static constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"SELECT v FROM t WHERE k = '%s'", "SELECT v FROM t WHERE k = ?"},
      {"SELECT '%u','%d' WHERE k='%s' AND a='x'", "SELECT ?,? WHERE k=? AND a='x'"},
      {"SELECT v WHERE k='%s' AND a='it''s' AND b=''", "SELECT v WHERE k=? AND a='it''s' AND b=''"},
      {"SELECT v WHERE k='%s' AND a LIKE '100%% -- /* ? : \"'",
       "SELECT v WHERE k=? AND a LIKE '100% -- /* ? : \"'"},
      {"SELECT '%1' || '@' || '%9'", "SELECT ? || '@' || ?"},
      {"SELECT '%S'\n\t", "SELECT ?\n\t"},
  };
  static constexpr std::string_view kNone[] = {
      "SELECT v",
      "SELECT '100%%'",
      "SELECT v WHERE k = %s",
      "SELECT v WHERE k = \"%s\"",
      "SELECT v WHERE k = '%s' AND a = %u",
      "SELECT v WHERE k = '%s@x'",
      "SELECT v WHERE k = '%u@%d'",
      "SELECT v WHERE k = '%s''x'",
      "SELECT v WHERE k = 'x''%s'",
      "SELECT v WHERE k = '''%s'''",
      "SELECT v WHERE k = ''%s''",
      "SELECT v WHERE k = '%s",
      "SELECT v WHERE k = '%s' -- '%u'",
      "SELECT v WHERE /* it's '%s' */ k = '%s'",
      "SELECT \"it's\" WHERE k = '%s' AND \"it's\" = 1",
      "SELECT [it's] WHERE k = '%s'",
      "SELECT `v` WHERE k = '%s'",
      "SELECT v WHERE k = '%s' AND a = ?",
      "SELECT v WHERE k = '%s' AND a = :a",
      "SELECT v WHERE k = '%s' AND a = @a",
      "SELECT v WHERE k = '%s' AND a = $a",
      "SELECT v WHERE k = '%s' AND a = '\x01'",
  };
  const TempDirectory directory;
  directory.write("q.cf", "");
  TableFixture fixture;
  const auto config = TableConfig::open(directory.path("q.cf"), fixture.context);
  ASSERT_TRUE(config);
  const auto parameterised = [&](std::string_view query) {
    const auto rules = QueryRules::read(*config, "sqlite", query, "sqlite:q.cf", fixture.context);
    return rules ? query_with_parameters(*rules).value_or("(none)") : rules.error().message;
  };
  for (const auto& [query, expected] : kCases) EXPECT_EQ(parameterised(query), expected);
  for (const std::string_view query : kNone) EXPECT_EQ(parameterised(query), "(none)") << query;
}

}  // namespace
}  // namespace libmaps
