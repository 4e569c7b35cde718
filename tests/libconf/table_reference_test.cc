#include "libconf/table_reference.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace libconf {
namespace {

using Strings = std::vector<std::string>;

struct Case {
  const char* name;
  const char* value;
  Strings tables;  ///< "type name"
  Strings warnings = {};
};

TEST(TableReference, ForEachTable) {
  const Case cases[] = {
      {"nothing", "", {}},
      {"words only", "permit_mynetworks, reject", {}},
      {"one", "hash:/etc/aliases", {"hash /etc/aliases"}},
      {"several", "hash:/a, btree:/b\tcdb:/c", {"hash /a", "btree /b", "cdb /c"}},
      {"among words", "check_client_access cidr:/x reject", {"cidr /x"}},
      {"through the proxy", "proxy:mysql:/x", {"mysql /x"}},
      {"through two proxies", "proxy:proxy:mysql:x", {"mysql x"}},
      {"proxy alone", "proxy:x", {}},
      {"colon in the name", "tcp:host:25", {"tcp host:25"}},
      {"in braces", "{ hash:/a , btree:/b }", {"hash /a", "btree /b"}},
      {"inside another table", "pipemap:{hash:/a, proxy:ldap:b}", {"hash /a", "ldap b"}},
      {"a nested one through the proxy",
       "proxy:unionmap:{proxy:mysql:a, proxy:proxy:pipemap:{cdb:/b}}",
       {"mysql a", "cdb /b"}},
      {"nested twice", "unionmap:{pipemap:{hash:/a, cdb:/b}, mysql:c}", {"hash /a", "cdb /b", "mysql c"}},
      {"restriction in braces", "check_client_access { hash:/a, default_action=x }", {"hash /a"}},
      {"open brace", "{hash:/a", {"hash /a"}, {"main.cf: missing '}' in \"{hash:/a\""}},
      {"text behind a brace",
       "{hash:/a}x",
       {"hash /a"},
       {"main.cf: syntax error after '}' in \"{hash:/a}x\""}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.name) + ": " + c.value);
    Strings tables, warnings;
    DiagnosticList sink;
    for_each_table(c.value, "main.cf", sink, [&](std::string_view type, std::string_view name) {
      tables.push_back(std::string(type) + " " + std::string(name));
    });
    for (const Diagnostic& d : sink.items()) warnings.push_back(d.message);
    EXPECT_EQ(tables, c.tables);
    EXPECT_EQ(warnings, c.warnings);
  }
}

TEST(TableReference, DeepNestingIsBounded) {
  const std::string value = std::string(100'000, '{') + "hash:/a" + std::string(100'000, '}');
  DiagnosticDiscard discard;
  int count = 0;
  for_each_table(value, "main.cf", discard, [&](std::string_view, std::string_view) { ++count; });
  EXPECT_EQ(count, 0);
}

}  // namespace
}  // namespace libconf
