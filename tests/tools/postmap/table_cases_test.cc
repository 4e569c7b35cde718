#include "tools/postmap/table_cases.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace postmap {
namespace {

using Kind = CaseResult::Kind;
using libconf::Result;

/// The only case of a text.
TableCase the_case(const std::string& text) {
  const Result<std::vector<TableCase>> cases = parse_cases(text, "a.test");
  EXPECT_TRUE(cases) << (cases ? "" : cases.error().message);
  if (!cases || cases->size() != 1) return {};
  return cases->front();
}

TEST(TableCases, AreAKeyAndAResult) {
  const struct {
    const char* name;
    const char* text;
    const char* key;
    CaseResult expected;
  } kCases[] = {
      {"a value", "ann@example.com = bob", "ann@example.com", {Kind::kValue, "bob"}},
      {"a value of several words", "k = REJECT  Go away", "k", {Kind::kValue, "REJECT  Go away"}},
      {"a value with marks of its own", "k = = not found # x", "k", {Kind::kValue, "= not found # x"}},
      {"an empty value", "k =", "k", {Kind::kValue, ""}},
      {"not found", "  k\tnot found ", "k", {Kind::kNotFound, ""}},
      {"any error", "k error", "k", {Kind::kError, ""}},
      {"a certain error", "k error No such file", "k", {Kind::kError, "No such file"}},
      {"carriage returns", "k = v\r\n", "k", {Kind::kValue, "v"}},
      {"blanks in quotes", "\"Subject: a b\" = DISCARD", "Subject: a b", {Kind::kValue, "DISCARD"}},
      {"quotes in quotes", R"("a \"b\" \\" = v)", R"(a "b" \)", {Kind::kValue, "v"}},
      {"lines in quotes", R"("a:\n\tb" = v)", "a:\n\tb", {Kind::kValue, "v"}},
      {"an address with a quoted local part",
       R"("a b"@example.com = v)",
       R"("a b"@example.com)",
       {Kind::kValue, "v"}},
      {"a quoted local part with quotes",
       R"("a \"b"@example.com = v)",
       R"("a \"b"@example.com)",
       {Kind::kValue, "v"}},
      {"the empty key", "\"\" not found", "", {Kind::kNotFound, ""}},
      {"a key that looks like a head", "\"table:\" = v", "table:", {Kind::kValue, "v"}},
      {"a key that looks like a comment", "\"#k\" = v", "#k", {Kind::kValue, "v"}},
      {"a key that looks like a result", "= = v", "=", {Kind::kValue, "v"}},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    const TableCase each = the_case(c.text);
    EXPECT_EQ(each.key, c.key);
    EXPECT_EQ(each.expected.kind, c.expected.kind);
    EXPECT_EQ(each.expected.text, c.expected.text);
    EXPECT_FALSE(each.via);
    ASSERT_NE(each.keys, nullptr);
    EXPECT_EQ(each.keys->name, "exact");
  }
}

TEST(TableCases, SayWhichKeysAreAsked) {
  const TableCase each = the_case("u+x@a.example as virtual via u@a.example = v");
  ASSERT_NE(each.keys, nullptr);
  EXPECT_EQ(each.keys->kind, libmaps::LookupKind::kVirtual);
  EXPECT_EQ(each.via, "u@a.example");
  EXPECT_EQ(each.expected.text, "v");
  EXPECT_EQ(the_case("u via \"a b\" = v").via, "a b");
}

TEST(TableCases, HaveWhatStandsAheadOfThem) {
  const auto cases = parse_cases(
      "# comment\n"
      "a = 1\n"
      "\n"
      "table: hash:a, hash:b\n"
      "lookup: transport\n"
      "b = 2\n"
      "c as client = 3\n"
      "table: cidr:c\n"
      "d = 4",
      "a.test");
  ASSERT_TRUE(cases);
  struct Seen {
    int line;
    std::string tables, keys, key;
    bool operator==(const Seen&) const = default;
  };
  std::vector<Seen> seen;
  for (const TableCase& each : *cases) {
    EXPECT_EQ(each.file, "a.test");
    seen.push_back({each.line, each.tables, std::string(each.keys->name), each.key});
  }
  EXPECT_EQ(seen, (std::vector<Seen>{{2, "", "exact", "a"},
                                     {6, "hash:a, hash:b", "transport", "b"},
                                     {7, "hash:a, hash:b", "client", "c"},
                                     {9, "cidr:c", "transport", "d"}}));
}

TEST(TableCases, MistakesHaveALine) {
  const struct {
    const char* text;
    const char* message;
  } kCases[] = {
      {"a = 1\nb\n", "a.test:2: need \"= VALUE\", \"not found\" or \"error\" behind the key"},
      {"b c", "a.test:1: need \"= VALUE\", \"not found\" or \"error\" behind the key, not \"c\""},
      {"b not found x",
       "a.test:1: need \"= VALUE\", \"not found\" or \"error\" behind the key, not \"not found x\""},
      {"b as local = c",
       "a.test:1: unknown lookup \"local\"; there are: exact, access, aliases, canonical, client, generic, "
       "host, mailbox, relocated, transport, virtual"},
      {"lookup:\n",
       "a.test:1: unknown lookup \"\"; there are: exact, access, aliases, canonical, client, generic, "
       "host, mailbox, relocated, transport, virtual"},
      {"\n\ntable: \n", "a.test:3: a table is missing"},
      {"b via", "a.test:1: a key is missing"},
      {"b via c not found", "a.test:1: \"via\" goes with \"= VALUE\""},
      {"\"b = c", "a.test:1: bad double quotes around the key"},
      {"\"b\\x\" = c", "a.test:1: bad double quotes around the key"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    const auto cases = parse_cases(c.text, "a.test");
    ASSERT_FALSE(cases);
    EXPECT_EQ(cases.error().kind, libconf::ErrorKind::kSyntax);
    EXPECT_EQ(cases.error().message, c.message);
  }
}

TEST(TableCases, TextOfACaseIsTheCase) {
  for (const char* text :
       {"a = b", "\"a b\" = c", "a via \"b c\" = d", "a not found", "a error", "a error x y",
        "\"\" =", "\"table:\" = x", "\"a\\nb\" as client = c", "\"a b\"@example.com = c", "\"#\" = c"}) {
    const auto cases = parse_cases(text, "a.test");
    ASSERT_TRUE(cases) << text;
    ASSERT_EQ(cases->size(), 1u) << text;
    EXPECT_EQ(to_string(cases->front()), text);
  }
}

TEST(TableCases, AnErrorIsNeverNotFound) {
  const CaseResult value{Kind::kValue, "v"}, other{Kind::kValue, "w"}, none{Kind::kNotFound},
      error{Kind::kError, "open database x.db: No such file"}, any_error{Kind::kError},
      part{Kind::kError, "No such"}, other_part{Kind::kError, "denied"};
  EXPECT_TRUE(is_as_expected(value, value));
  EXPECT_FALSE(is_as_expected(value, other));
  EXPECT_FALSE(is_as_expected(value, none));
  EXPECT_TRUE(is_as_expected(none, none));
  EXPECT_FALSE(is_as_expected(none, error));
  EXPECT_FALSE(is_as_expected(any_error, none));
  EXPECT_TRUE(is_as_expected(any_error, error));
  EXPECT_TRUE(is_as_expected(part, error));
  EXPECT_FALSE(is_as_expected(other_part, error));
}

}  // namespace
}  // namespace postmap
