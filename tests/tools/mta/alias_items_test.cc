#include "tools/mta/delivery/alias_items.h"

#include <gtest/gtest.h>

#include <ostream>

namespace mta {

void PrintTo(const AliasItem& item, std::ostream* out) {
  *out << static_cast<int>(item.kind) << ' ' << item.text;
}

namespace {

using enum AliasItemKind;
using Items = std::vector<AliasItem>;

TEST(AliasItems, EachKindHasItsForm) {
  const struct {
    std::string text;
    Items items;
  } cases[] = {
      {"", {}},
      {"  ", {}},
      {"ann", {{kAddress, "ann"}}},
      {"ann, bob@example.org", {{kAddress, "ann"}, {kAddress, "bob@example.org"}}},
      {"ann bob", {{kAddress, "ann"}, {kAddress, "bob"}}},
      {"ann (the first), bob", {{kAddress, "ann"}, {kAddress, "bob"}}},
      {"Ann Lee <ann@example.org>", {{kAddress, "ann@example.org"}}},
      {"list:ann,bob;", {{kAddress, "ann"}, {kAddress, "bob"}}},
      {"\"a b\"@example.org", {{kAddress, "\"a b\"@example.org"}}},
      {"|/bin/cat", {{kCommand, "/bin/cat"}}},
      {"\"|/bin/cat 'a, b' (c)\"", {{kCommand, "/bin/cat 'a, b' (c)"}}},
      {R"("|/bin/echo \"a b\"")", {{kCommand, "/bin/echo \"a b\""}}},
      {"\"| exit 67\"", {{kCommand, " exit 67"}}},
      {"/dev/null", {{kFile, "/dev/null"}}},
      {"\"/tmp/with blank\"", {{kFile, "/tmp/with blank"}}},
      {"~/Mail", {{kHome, "Mail"}}},
      {"~ann", {{kHome, "~ann"}}},
      {"\\ann", {{kAddress, "ann"}}},
      {":include:/etc/list", {{kInclude, "/etc/list"}}},
      {":INCLUDE:/etc/list", {{kInclude, "/etc/list"}}},
      {"\":include:/etc/a list\"", {{kInclude, "/etc/a list"}}},
      {"ann, :include:/etc/list, bob", {{kAddress, "ann"}, {kInclude, "/etc/list"}, {kAddress, "bob"}}},
      {"ann (:include:/x), bob", {{kAddress, "ann"}, {kAddress, "bob"}}},
      {"\"ann :include:/x\"", {{kAddress, "\"ann :include:/x\""}}},
  };
  for (const auto& [text, items] : cases) EXPECT_EQ(parse_alias_items(text), items) << text;
}

TEST(AliasItems, AFileHasLinesAndComments) {
  EXPECT_EQ(parse_alias_file("# nobody\nann, bob\n\n  \n\"|cat\"\ncarl"),
            (Items{{kAddress, "ann"}, {kAddress, "bob"}, {kCommand, "cat"}, {kAddress, "carl"}}));
  EXPECT_EQ(parse_alias_file("# only\n\n"), Items{});
}

TEST(AliasItems, WhatIsNotClosedIsTakenAsItStands) {
  for (const char* text : {"\"|cat", "ann (x", "<ann@", "\\", "a@", ":include:", "\"", "(", "|"})
    EXPECT_LE(parse_alias_items(text).size(), 2U) << text;
}

}  // namespace
}  // namespace mta
