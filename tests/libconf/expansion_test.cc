#include "libconf/expansion.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "tests/libconf/diagnostic_messages.h"

namespace libconf {
namespace {

class MapScope final : public ExpansionScope {
 public:
  MapScope(std::initializer_list<std::pair<const std::string, std::string>> values) : values_(values) {}
  std::optional<std::string_view> value_of(std::string_view name) const override {
    const auto found = values_.find(name);
    return found == values_.end() ? std::nullopt : std::optional<std::string_view>(found->second);
  }
  void set(const std::string& name, const std::string& value) { values_[name] = value; }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

/// `u` stays undefined.
MapScope example_scope() {
  return {{"x", "XX"}, {"y", "YY"}, {"e", ""}, {"chain", "<$x>"}, {"level", "3.10"}, {"a_1", "digits"}};
}

struct Form {
  const char* name;
  const char* text;
  const char* expected;
};

// Each form as the stock postconf 3.7 expands it (domain_to_ascii: postconf(5)).
constexpr Form kForms[] = {
    {"empty", "", ""},
    {"no reference", "plain text", "plain text"},
    {"bare name", "$x", "XX"},
    {"parentheses", "$(x)", "XX"},
    {"braces", "${x}", "XX"},
    {"blanks around a name", "${ x }", "XX"},
    {"inside text", "pre$(x)post", "preXXpost"},
    {"name ends at a dot", "$x.y", "XX.y"},
    {"name takes underscore and digits", "$a_1-", "digits-"},
    {"two in a row", "$x$y", "XXYY"},
    {"value that refers on", "$chain", "<XX>"},
    {"empty value", "[$e]", "[]"},
    {"undefined", "[$u]", "[]"},
    {"blank name", "[${ }]", "[]"},
    {"dollar", "$$x", "$x"},
    {"dollar, then reference", "$$$x", "$XX"},
    {"only dollars", "$$$$", "$$"},
    {"if set", "${x?set}", "set"},
    {"if set, braces", "${x?{set}}", "set"},
    {"if set, is empty", "${e?{set}}", ""},
    {"if set, is undefined", "${u?{set}}", ""},
    {"if set, empty text", "${x?}", ""},
    {"if set, empty braces", "${x?{}}", ""},
    {"if set, parentheses", "$(x?{a})", "a"},
    {"if set, blanks inside braces stay", "[${x?{ a }}]", "[ a ]"},
    {"if unset, is set", "${x:unset}", ""},
    {"if unset, is empty", "${e:unset}", "unset"},
    {"if unset, is undefined", "${u:none}", "none"},
    {"if unset, braces", "${u:{none}}", "none"},
    {"if unset, no name", "${:a}", "a"},
    {"if set, no name", "${?a}", ""},
    {"one or the other, set", "${x?{a}:{b}}", "a"},
    {"one or the other, empty", "${e?{a}:{b}}", "b"},
    {"one or the other, blanks", "${x ? {a} : {b}}", "a"},
    {"one or the other, second without braces", "${u?{a}:b}", "b"},
    {"one or the other, second empty", "${u?{a}:}", ""},
    {"brace behind the end", "${x?{a}:{b}}}", "a}"},
    {"reference in a branch", "${x?{${y?{z}}}}", "z"},
    {"branch not taken is not expanded", "${x?{a}:{${{1}==level{bad}}}}", "a"},
    {"nested parentheses", "$(u:$(y))", "YY"},
    {"comparison without branches, true", "${{1}=={1}}", "true"},
    {"comparison without branches, false", "[${{1}=={2}}]", "[]"},
    {"equal", "${{$x}=={XX}?{same}:{other}}", "same"},
    {"equal, case counts", "${{a}=={A}?{same}:{other}}", "other"},
    {"equal, blanks count", "${{ 1 }=={1}?{same}:{other}}", "other"},
    {"equal, both empty", "${{}=={$e}?{both}}", "both"},
    {"not equal", "${{1} != {2} ? {x} : {y}}", "x"},
    {"less, numbers", "${{9}<{10}?{lt}:{ge}}", "lt"},
    {"less, strings", "${{a10}<{a9}?{lt}:{ge}}", "lt"},
    {"less, one is a number", "${{-1}<{1}?{lt}:{ge}}", "lt"},
    {"less, empty is a string", "${{}<{1}?{lt}:{ge}}", "lt"},
    {"leading zero is the same number", "${{01}=={1}?{eq}:{ne}}", "eq"},
    {"less or equal", "${{b}<={b}?yes}", "yes"},
    {"greater", "${{10}>{9}?{gt}:{le}}", "gt"},
    {"greater or equal", "${{a}>={b}?{ge}:{lt}}", "lt"},
    {"comparison, only the second branch", "${{a}=={b}:no}", "no"},
    {"level, less", "${{3.10} <level {3.9} ? {lt}:{ge}}", "ge"},
    {"level, greater or equal", "${{$level}>=level{3.9}?{ge}:{lt}}", "ge"},
    {"level, equal with missing parts", "${{3.6}==level{3.6.0}?{eq}:{ne}}", "eq"},
    {"level, not equal", "${{3.6.1}!=level{3.6}?{ne}:{eq}}", "ne"},
    {"level, less or equal", "${{3.6.1}<=level{3.6}?{le}:{gt}}", "gt"},
    {"level, greater", "${{2}>level{1.1023.1023}?{gt}:{le}}", "gt"},
    {"function",
     "${domain_to_ascii{b\xC3\xBC"
     "cher.example}}",
     "xn--bcher-kva.example"},
    {"function of a reference", "${domain_to_ascii{$x.example}}", "XX.example"},
    {"the function's name alone is a parameter", "[$domain_to_ascii]", "[]"},
};

TEST(Expansion, Forms) {
  const MapScope scope = example_scope();
  for (const Form& form : kForms) {
    SCOPED_TRACE(std::string(form.name) + ": " + form.text);
    DiagnosticList sink;
    const Result<std::string> value = expand(form.text, scope, sink);
    ASSERT_TRUE(value) << value.error().message;
    EXPECT_EQ(*value, form.expected);
    EXPECT_TRUE(sink.items().empty()) << sink.items()[0].message;
  }
}

struct Mistake {
  const char* name;
  const char* text;
  const char* warning;  ///< Empty: none.
  const char* error = "macro processing error";
};

constexpr Mistake kMistakes[] = {
    {"dollar at the end", "a$", R"(empty macro name: "a$")"},
    {"dollar before another character", "$-", R"(empty macro name: "$-")"},
    {"dollar before a blank", "$ x", R"(empty macro name: "$ x")"},
    {"empty braces", "${}", R"(empty macro name: "${}")"},
    {"empty parentheses", "$()", R"x(empty macro name: "$()")x"},
    {"open brace", "a${x", R"(truncated macro reference: "a${x")"},
    {"open parenthesis", "$(x b", R"(truncated macro reference: "$(x b")"},
    {"open inner brace", "${x?{a", R"(truncated macro reference: "${x?{a")"},
    {"brace closes a parenthesis", "$(x}", R"(truncated macro reference: "$(x}")"},
    {"odd character in a name", "${x!y}", R"(attribute name syntax error at: "...x>>>!y")"},
    {"blank in a name", "${x y}", R"(attribute name syntax error at: "...x>>> y")"},
    {"single equals", "${{1}={1}}",
     R"x("==" or "!="" or "<"" or "<="" or ">="" or ">" expected at: "...1}>>>={1}")x"},
    {"no operator", "${{1}}", R"x("==" or "!="" or "<"" or "<="" or ">="" or ">" expected at: "...1}>>>")x"},
    {"unknown operator", "${{a}=~{b}?{y}:{n}}",
     R"x("==" or "!="" or "<"" or "<="" or ">="" or ">" expected at: "...a}>>>=~{b}?{y}:{n}")x"},
    {"operand without braces", "${{1}==1}", R"(bad operator suffix at: "...==>>>1")"},
    {"operand without braces, blank before it", "${{a} == b ? {1} : {0}}",
     R"("{expression}" expected at: "...{a} ==>>> b ? {1} : {0}")"},
    {"unknown suffix", "${{1}==lvl{1}}", R"(bad operator suffix at: "...==>>>lvl")"},
    {"malformed level", "${{1}==level{x}}", R"(malformed compatibility level syntax: "x")"},
    {"level part too large", "${{3.1024}<level{4}}", R"(malformed compatibility level syntax: "3.1024")"},
    {"text behind a comparison", "${{1}=={1}x}", R"("?" or ":" expected at: "...}>>>x")"},
    {"text behind the first branch", "${x?{a}b}", R"(":" expected at: "...a}>>>b")"},
    {"second branch without a colon", "${x?{a}{b}}", R"(":" expected at: "...a}>>>{b}")"},
    {"text behind a comparison's first branch", "${{1}=={1}?{a}b}", R"(":" expected at: "...a}>>>b")"},
    {"text behind the second branch", "${x?{a}:{b}c}", R"(unexpected input at: "...b}>>>c")"},
    {"question mark behind a colon", "${x:{a}?{b}}", R"(unexpected input at: "...a}>>>?{b}")"},
    {"text behind a comparison's second branch", "${{a}=={a}?{b}:{c}d}",
     R"(unexpected input at: "...c}>>>d")"},
    {"number too long", "${{99999999999999999999}=={1}}", "",
     "mac_exp_eval: bad conversion: 99999999999999999999"},
};

TEST(Expansion, Mistakes) {
  const MapScope scope = example_scope();
  for (const Mistake& mistake : kMistakes) {
    SCOPED_TRACE(std::string(mistake.name) + ": " + mistake.text);
    DiagnosticList sink;
    const Result<std::string> value = expand(mistake.text, scope, sink);
    ASSERT_FALSE(value) << *value;
    EXPECT_EQ(value.error().kind, ErrorKind::kSyntax);
    EXPECT_EQ(value.error().message, mistake.error);
    const std::vector<std::string> expected =
        *mistake.warning == '\0' ? std::vector<std::string>{} : std::vector<std::string>{mistake.warning};
    EXPECT_EQ(messages(sink), expected);
  }
}

TEST(Expansion, MistakeInsideAValue) {
  const MapScope scope{{"x", "b$"}};
  DiagnosticList sink;
  const Result<std::string> value = expand("a $x", scope, sink);
  ASSERT_FALSE(value);
  EXPECT_EQ(messages(sink), std::vector<std::string>{R"(empty macro name: "b$")"});
}

MapScope chain(int links) {
  MapScope scope{};
  for (int i = 1; i <= links; ++i) scope.set("v" + std::to_string(i), "$v" + std::to_string(i + 1));
  scope.set("v" + std::to_string(links + 1), "end");
  return scope;
}

TEST(Expansion, NestingLimit) {
  // As far as the stock postconf goes.
  struct Case {
    int links;
    bool accepted;
  };
  for (const Case& c : {Case{0, true}, Case{50, true}, Case{99, true}, Case{100, false}, Case{5000, false}}) {
    SCOPED_TRACE(c.links);
    DiagnosticList sink;
    const Result<std::string> value = expand("$v1", chain(c.links), sink);
    ASSERT_EQ(value.has_value(), c.accepted);
    if (c.accepted) {
      EXPECT_EQ(*value, "end");
    } else {
      ASSERT_FALSE(sink.items().empty());
      EXPECT_TRUE(sink.items()[0].message.starts_with("unreasonable macro call nesting: \""))
          << sink.items()[0].message;
      EXPECT_EQ(value.error().message, "macro processing error");
    }
  }
}

TEST(Expansion, Loops) {
  struct Case {
    const char* name;
    MapScope scope;
    const char* text;
  };
  const Case cases[] = {
      {"a name that refers to itself", {{"a", "$a"}}, "$a"},
      {"two names", {{"a", "$b"}, {"b", "$a"}}, "$a"},
      {"a loop through a branch", {{"a", "${a?{$a}}"}}, "$a"},
      {"a loop through a comparison", {{"a", "${{$a}=={1}}"}}, "$a"},
      {"a loop that grows", {{"a", "x$a"}}, "$a"},
      {"a loop that doubles", {{"a", "$a$a"}}, "$a"},
      {"a loop through the function", {{"a", "${domain_to_ascii{$a}}"}}, "$a"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    DiagnosticList sink;
    const Result<std::string> value = expand(c.text, c.scope, sink);
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().kind, ErrorKind::kSyntax);
    EXPECT_FALSE(sink.items().empty());
  }
}

TEST(Expansion, LoopWarnings) {
  const MapScope scope{{"mail_name", "a $loop_b"}, {"loop_b", "b $mail_name"}};
  DiagnosticList sink;
  ASSERT_FALSE(expand("a $loop_b", scope, sink));
  EXPECT_EQ(messages(sink), (std::vector<std::string>{R"(unreasonable macro call nesting: "b ")",
                                                      R"(unreasonable macro call nesting: "mail_name")"}));
}

TEST(Expansion, UntakenBranchIsNoLoop) {
  const MapScope scope{{"a", "${u?{$a}}"}};
  DiagnosticList sink;
  const Result<std::string> value = expand("[$a]", scope, sink);
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, "[]");
}

TEST(Expansion, BlowUpEndsInAnErrorQuickly) {
  for (const char* leaf : {"x", ""}) {
    SCOPED_TRACE(leaf);
    MapScope scope{};
    for (int i = 0; i < 60; ++i) {
      const std::string next = "$v" + std::to_string(i + 1);
      scope.set("v" + std::to_string(i), next + next);
    }
    scope.set("v60", leaf);
    DiagnosticList sink;
    const auto begin = std::chrono::steady_clock::now();
    const Result<std::string> value = expand("$v0", scope, sink);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().kind, ErrorKind::kSyntax);
    EXPECT_TRUE(value.error().message.starts_with("macro processing error")) << value.error().message;
  }
}

TEST(Expansion, DeeplyNestedTextEndsInAnError) {
  for (const auto& [open, close] :
       std::vector<std::pair<std::string, std::string>>{{"${x?{", "}}"}, {"${{", "}==1}"}, {"$(x?", ")"}}) {
    SCOPED_TRACE(open);
    std::string text;
    for (int i = 0; i < 3000; ++i) text += open;
    for (int i = 0; i < 3000; ++i) text += close;
    DiagnosticList sink;
    EXPECT_FALSE(expand(text, example_scope(), sink));
  }
}

TEST(Expansion, TraceTellsEveryReplacement) {
  using Step = std::tuple<std::string, std::optional<std::string>, int>;
  std::vector<Step> steps;
  DiagnosticList sink;
  const Result<std::string> value =
      expand("$chain ${u} ${e?{$x}:{$y}}", example_scope(), sink,
             [&](std::string_view name, std::optional<std::string_view> raw, int depth) {
               steps.emplace_back(name, raw ? std::optional(std::string(*raw)) : std::nullopt, depth);
             });
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, "<XX>  YY");
  const std::vector<Step> expected = {
      {"chain", "<$x>", 1}, {"x", "XX", 2}, {"u", std::nullopt, 1}, {"e", "", 1}, {"y", "YY", 1}};
  EXPECT_EQ(steps, expected);
}

struct ScanCase {
  const char* name;
  const char* text;
  std::vector<std::string> expected;
  bool has_warning = false;
};

TEST(ScanReferences, VisitsEveryBranch) {
  const ScanCase cases[] = {
      {"nothing", "plain $$x", {}},
      {"in order", "$b ${a} $(c) $b", {"b", "a", "c", "b"}},
      {"both branches", "${a?{$b}:{$c}}", {"a", "b", "c"}},
      {"comparison", "${{$a}=={$b}?{$c}:{$d}}", {"a", "b", "c", "d"}},
      {"function", "${domain_to_ascii{$a}}", {"a"}},
      {"nested", "${a?{${b:{$c}}}}", {"a", "b", "c"}},
      {"a mistake ends the scan", "$a ${b!} $c", {"a"}, true},
      {"a mistake in an untaken branch", "${a?{$b}:{$}} $c", {"a", "b"}, true},
  };
  for (const ScanCase& c : cases) {
    SCOPED_TRACE(std::string(c.name) + ": " + c.text);
    std::vector<std::string> seen;
    DiagnosticList sink;
    scan_references(
        c.text, [&](std::string_view name) { seen.emplace_back(name); }, sink);
    EXPECT_EQ(seen, c.expected);
    EXPECT_EQ(!sink.items().empty(), c.has_warning);
  }
}

TEST(ScanReferences, DeepNestingIsBounded) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "${x?{";
  for (int i = 0; i < 20000; ++i) text += "}}";
  DiagnosticList sink;
  int count = 0;
  scan_references(
      text, [&](std::string_view) { ++count; }, sink);
  EXPECT_GT(count, 0);
}

}  // namespace
}  // namespace libconf
