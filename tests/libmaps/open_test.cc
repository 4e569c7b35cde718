#include "libmaps/open.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/libconf/diagnostic_messages.h"
#include "tests/libconf/temp_directory.h"

namespace libmaps {
namespace {

class Open : public testing::Test {
 protected:
  /// The answer of `spec`, "(none)", or "error: ...".
  std::string ask(std::string_view spec, std::string_view key, TableOptions options = {.utf8 = true}) {
    auto table = open(spec, {.settings = settings_, .warnings = warnings_, .options = options});
    if (!table) return "cannot open: " + table.error().message;
    const auto value = (*table)->lookup(key);
    if (!value) return "error: " + value.error().message;
    return value->value_or("(none)");
  }

  libconf::Settings settings_{nullptr, libconf::system_host()};
  libconf::DiagnosticList warnings_;
};

TEST_F(Open, RefusesWhatIsNoTable) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"nosuch:x", "unsupported dictionary type: nosuch"},
      {"HASH:x", "unsupported dictionary type: HASH"},
      {"static", "open dictionary: expecting \"type:name\" form instead of \"static\""},
      {":x", "open dictionary: expecting \"type:name\" form instead of \":x\""},
      {"fail:", "open dictionary: expecting \"type:name\" form instead of \"fail:\""},
      {"unix:bogus", "unknown table: unix:bogus"},
      {"pipemap:{}", "bad syntax: \"pipemap:{}\"; need \"pipemap:{type:name...}\""},
      {"unionmap:{static:x", "bad syntax: \"unionmap:{static:x\"; need \"unionmap:{type:name...}\""},
      {"randmap:{a}b", "bad syntax: \"randmap:{a}b\"; need \"randmap:{value...}\""},
      {"inline:{ a }", "missing '=' after attribute name: \"inline:{ a }\"; need \"inline:{name=value...}\""},
      {"static:{x", "bad static:name syntax: missing '}' in \"{x\""},
      {"static:{x}y", "bad static:name syntax: syntax error after '}' in \"{x}y\""},
      {"debug:pipemap:{nosuch:x}", "unsupported dictionary type: nosuch"},
  };
  for (const auto& [spec, message] : cases) EXPECT_EQ(ask(spec, "a"), "cannot open: " + std::string(message));
}

TEST_F(Open, FoldsKeysOfFixedStringsOnly) {
  EXPECT_EQ(ask("inline:{B=up}", "B"), "up");
  EXPECT_EQ(ask("inline:{B=up}", "b"), "up");
  EXPECT_EQ(ask("inline:{B=up}", "b", {.fold_keys = false}), "(none)");
  EXPECT_EQ(ask("pcre:{{/^B$/i exact}}", "b"), "(none)");
  EXPECT_EQ(ask("pipemap:{pcre:{{/^(X.*)$/i $1}}, inline:{xy=z}}", "XY"), "z");
  EXPECT_EQ(ask("inline:{j\xc3\xb6rg=x}", "J\xc3\x96RG"), "x");
  EXPECT_EQ(ask("inline:{j\xc3\xb6rg=x}", "J\xc3\x96RG", {.utf8 = false}), "(none)");
}

TEST_F(Open, WarnsOfKeysThatAreNotUtf8) {
  EXPECT_EQ(ask("static:x", "a\xff"), "(none)");
  EXPECT_EQ(
      libconf::messages(warnings_),
      std::vector<std::string>{"static:x: non-UTF-8 key \"a\xff\": malformed UTF-8 or invalid codepoint"});
  EXPECT_EQ(ask("static:x", "a\xff", {.utf8 = false}), "x");
}

TEST_F(Open, FailsOnValuesThatAreNotUtf8) {
  EXPECT_EQ(ask("static:\xff", "a"), "error: ");
  EXPECT_EQ(libconf::messages(warnings_),
            std::vector<std::string>{
                "static:\xff: key \"a\": non-UTF-8 value \"\xff\": malformed UTF-8 or invalid codepoint"});
}

TEST_F(Open, DecodesFiles) {
  EXPECT_EQ(ask("static:eAo=", "a", {.decode_files = true}), "x\n");
  EXPECT_EQ(ask("static:not_base64!", "k", {.decode_files = true}), "error: ");
  EXPECT_EQ(libconf::messages(warnings_),
            std::vector<std::string>{"table static:not_base64!: key k: malformed BASE64 value: not_base64!"});
}

TEST_F(Open, LoadsFilesIntoEveryTypeWithASource) {
  const postkit_test::TempDirectory directory;
  directory.write("one", "content\n");
  const std::string one = directory.path("one");
  directory.write("text", "k " + one + "\n");
  const TableOptions files{.load_files = true, .decode_files = true};
  for (const std::string& spec : {"texthash:" + directory.path("text"), "inline:{k=" + one + "}",
                                  "static:" + one, "randmap:{" + one + "}", "pcre:{{/k/ " + one + "}}",
                                  "regexp:{{/k/ " + one + "}}", "pipemap:{static:" + one + "}"})
    EXPECT_EQ(ask(spec, "k", files), "content\n") << spec;
  EXPECT_EQ(ask("cidr:{{192.0.2.0/24 " + one + "}}", "192.0.2.1", files), "content\n");
  EXPECT_EQ(ask("static:absent", "k", files), "cannot open: open absent: No such file or directory");
  EXPECT_EQ(ask("inline:{k=absent}", "k", files),
            "cannot open: open absent: No such file or directory: \"inline:{k=absent}\"; need "
            "\"inline:{name=filename...}\"");
  EXPECT_EQ(ask("pcre:{{/k/ absent}}", "k", files), "(none)");
  EXPECT_EQ(
      libconf::messages(warnings_),
      std::vector<std::string>{"pcre map {{/k/ absent}}, line 1: open absent: No such file or directory: "
                               "skipping this rule"});
}

TEST_F(Open, KeepsFailureApartFromNotFound) {
  EXPECT_EQ(ask("fail:x", "a"), "error: Application error");
  EXPECT_EQ(ask("unionmap:{inline:{a=1},fail:x}", "a"), "error: Application error");
  EXPECT_EQ(ask("pipemap:{inline:{a=b},fail:x}", "a"), "error: Application error");
  // The first table does not know the key, so the second is never asked.
  EXPECT_EQ(ask("pipemap:{inline:{a=b},fail:x}", "q"), "(none)");
}

TEST_F(Open, DebugReportsWhatIsAskedAndSaid) {
  ask("debug:inline:{a=1}", "a");
  ask("debug:inline:{a=1}", "b");
  ask("debug:fail:x", "c");
  EXPECT_EQ(libconf::messages(warnings_),
            (std::vector<std::string>{"inline:{a=1} lookup: \"a\" = \"1\"",
                                      "inline:{a=1} lookup: \"b\" = \"not_found\"",
                                      "fail:x lookup: \"c\" = \"error\""}));
  for (const libconf::Diagnostic& item : warnings_.items())
    EXPECT_EQ(item.severity, libconf::Severity::kInfo);
}

}  // namespace
}  // namespace libmaps
