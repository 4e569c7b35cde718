#include "libmaps/source_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace libmaps {
namespace {

using libconf::Result;

struct Read {
  std::string text;
  int first;
  int last;
  friend bool operator==(const Read&, const Read&) = default;
  friend void PrintTo(const Read& read, std::ostream* out) {
    *out << '"' << read.text << "\" " << read.first << '-' << read.last;
  }
};

std::vector<Read> read_all(std::string text) {
  SourceReader reader = SourceReader::from_text("t", std::move(text));
  std::vector<Read> lines;
  while (const auto line = reader.next()) lines.push_back({std::string(line->text), line->first, line->last});
  return lines;
}

TEST(SourceReader, JoinsContinuationsAcrossCommentsAndBlankLines) {
  const std::vector<Read> expected = {{"a one  two\tthree", 1, 5}, {"b", 6, 6}};
  EXPECT_EQ(read_all("a one\n  two\n\n # note\n\tthree\nb"), expected);
}

TEST(SourceReader, PassesOverCommentsAndBlankLines) {
  const std::vector<Read> expected = {{"key#x v", 3, 3}};
  EXPECT_EQ(read_all("# a\n   \nkey#x v\n  # b\n\n"), expected);
}

TEST(SourceReader, EndsALineAtItsFirstNul) {
  const std::vector<Read> expected = {{"a x", 1, 1}, {"b", 2, 2}};
  EXPECT_EQ(read_all(std::string("a x\0y\nb", 7)), expected);
}

TEST(SourceReader, TellsALineThatContinuesNothing) {
  SourceReader reader = SourceReader::from_text("t", "  a b\n");
  const auto line = reader.next();
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->is_orphan());
  EXPECT_EQ(reader.orphan_message(*line), "t: logical line must not start with whitespace: \"  a b\"");
}

TEST(SourceReader, ReadsADirectoryAsEmpty) {
  Result<SourceReader> reader = SourceReader::open_file("/");
  ASSERT_TRUE(reader);
  EXPECT_FALSE(reader->next());
}

TEST(SourceReader, ReportsAMissingFile) {
  const Result<SourceReader> reader = SourceReader::open_file("/nonexistent/t");
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().message, "open /nonexistent/t: No such file or directory");
}

TEST(InlineRules, WritesOneRuleALine) {
  EXPECT_EQ(inline_rules("pcre", "{ { /a b/ x }, {/{}/ y} }").value(), "/a b/ x\n/{}/ y\n");
  EXPECT_EQ(inline_rules("pcre", "{}").value(), "");
}

TEST(InlineRules, NamesWhatIsWrong) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"{", "pcre map: missing '}' in \"{\""},
      {"{/x/ y}", "pcre map: no '{' at start of text in \"/x/\""},
      {"{{a}x }", "pcre map: syntax error after '}' in \"{a}x\""},
      {"{{a} }b", "pcre map: syntax error after '}' in \"{{a} }b\""},
  };
  for (const auto& [text, message] : cases) {
    const auto rules = inline_rules("pcre", text);
    ASSERT_FALSE(rules) << text;
    EXPECT_EQ(rules.error().message, message);
  }
}

}  // namespace
}  // namespace libmaps
