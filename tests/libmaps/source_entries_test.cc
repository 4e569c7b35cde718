#include "libmaps/source_entries.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/libconf/diagnostic_messages.h"
#include "tests/libconf/temp_directory.h"

namespace libmaps {
namespace {

struct Read {
  std::vector<std::pair<std::string, std::string>> entries;
  std::vector<std::string> warnings;
};

Read read(std::string text, const SourceOptions& options = {}, Duplicates duplicates = Duplicates::kWarn) {
  libconf::DiagnosticList warnings;
  const SourceEntries entries = SourceEntries::read(SourceReader::from_text("t", std::move(text)), options,
                                                    duplicates, "t.db", warnings);
  Read result{.entries = {}, .warnings = libconf::messages(warnings)};
  for (const Entry& entry : entries.sorted()) result.entries.emplace_back(entry.key, entry.value);
  return result;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;
using Messages = std::vector<std::string>;

TEST(SourceEntries, FoldsAndSorts) {
  EXPECT_EQ(read("Zed 1\nann 2\nBob 3\n").entries, (Pairs{{"ann", "2"}, {"bob", "3"}, {"zed", "1"}}));
  EXPECT_EQ(read("Zed 1\n", {.fold_keys = false}).entries, (Pairs{{"Zed", "1"}}));
  EXPECT_EQ(read("J\xc3\x96RG 1\n", {.utf8 = true}).entries, (Pairs{{"j\xc3\xb6rg", "1"}}));
}

TEST(SourceEntries, DecidesWhichOfTwoCounts) {
  const std::string text = "k one\nK two\nother x\nk three\n";
  const Read warned = read(text);
  EXPECT_EQ(warned.entries, (Pairs{{"k", "one"}, {"other", "x"}}));
  EXPECT_EQ(warned.warnings, (Messages{"t.db: duplicate entry: \"k\"", "t.db: duplicate entry: \"k\""}));
  const Read ignored = read(text, {}, Duplicates::kIgnore);
  EXPECT_EQ(ignored.entries, warned.entries);
  EXPECT_EQ(ignored.warnings, Messages{});
  const Read replaced = read(text, {}, Duplicates::kReplace);
  EXPECT_EQ(replaced.entries, (Pairs{{"k", "three"}, {"other", "x"}}));
  EXPECT_EQ(replaced.warnings, Messages{});
}

TEST(SourceEntries, WarnsInTheOrderOfLines) {
  EXPECT_EQ(read("  lead x\na 1\nlonely\na 2\nb: 3\nx\xff y\n", {.utf8 = true}).warnings,
            (Messages{"t: logical line must not start with whitespace: \"  lead x\"",
                      "t, line 3: expected format: key whitespace value", "t.db: duplicate entry: \"a\"",
                      "t, line 5: record is in \"key: value\" format; is this an alias file?",
                      "t, line 6: non-UTF-8 input \"x\xff y\" -- ignoring this line"}));
}

TEST(SourceEntries, KeepsTextsOfContinuedLines) {
  EXPECT_EQ(read("a one\n  two\nb three\n four\n").entries, (Pairs{{"a", "one  two"}, {"b", "three four"}}));
}

TEST(SourceEntries, ReadsAliases) {
  const Read aliases = read("Root: ann , bob\nnocolon\n", {.format = SourceFormat::kAliases});
  EXPECT_EQ(aliases.entries, (Pairs{{"root", "ann, bob"}}));
  EXPECT_EQ(aliases.warnings, (Messages{"t, line 2: need name:value pair"}));
}

TEST(SourceEntries, PutsFilesInPlaceOfTheirNames) {
  const postkit_test::TempDirectory directory;
  directory.write("one", "line\n");
  directory.write("two", "tail\n");
  const std::string one = directory.path("one");
  const std::string two = directory.path("two");
  const Read files = read("k " + one + ", " + two + "\nj " + one + " absent\n", {.values_are_files = true});
  EXPECT_EQ(files.entries, (Pairs{{"k", "bGluZQoKdGFpbAo="}}));
  EXPECT_EQ(files.warnings,
            (Messages{"t, line 2: open absent: No such file or directory: skipping this entry"}));
}

TEST(SourceEntries, AddsAnEntryWhereItBelongs) {
  libconf::DiagnosticDiscard discard;
  SourceEntries entries =
      SourceEntries::read(SourceReader::from_text("t", "a 1\nz 2\n"), {}, Duplicates::kWarn, "t", discard);
  entries.add("@", "@");
  entries.add("a", "not again");
  ASSERT_EQ(entries.sorted().size(), 3U);
  EXPECT_EQ(entries.sorted()[0].key, "@");
  EXPECT_EQ(entries.sorted()[1].value, "1");
}

}  // namespace
}  // namespace libmaps
