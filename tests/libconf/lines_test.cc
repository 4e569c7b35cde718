#include "libconf/lines.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace libconf {
namespace {

constexpr LineKind kBlank = LineKind::kBlank;
constexpr LineKind kComment = LineKind::kComment;
constexpr LineKind kStart = LineKind::kStart;
constexpr LineKind kContinuation = LineKind::kContinuation;

struct ExpectedLogical {
  std::string text;
  std::size_t first = 0;
  std::size_t last = 0;
  bool is_orphan = false;
  bool has_nul = false;
};

struct Case {
  const char* name;
  std::string text;
  std::vector<LineKind> kinds;
  std::vector<ExpectedLogical> logical;
};

TEST(Lines, Structure) {
  const Case cases[] = {
      {"empty", "", {}, {}},
      {"one newline", "\n", {kBlank}, {}},
      {"one line", "a = 1\n", {kStart}, {{"a = 1", 0, 0}}},
      {"no final newline", "a = 1", {kStart}, {{"a = 1", 0, 0}}},
      {"blank lines of all kinds", "\n \n\t\r\n\v\f\n", {kBlank, kBlank, kBlank, kBlank}, {}},
      {"comments", "#\n  # a\n#b", {kComment, kComment, kComment}, {}},
      {"continuation keeps its white space",
       "a\n  b\n\tc\n",
       {kStart, kContinuation, kContinuation},
       {{"a  b\tc", 0, 2}}},
      {"every isspace() character continues",
       "a\n\vb\n\fc\n\rd\n",
       {kStart, kContinuation, kContinuation, kContinuation},
       {{"a\vb\fc\rd", 0, 3}}},
      {"comment and blank do not end a line",
       "a = 1\n# note\n\n  2\n",
       {kStart, kComment, kBlank, kContinuation},
       {{"a = 1  2", 0, 3}}},
      {"a comment behind the last continuation is not part",
       "a\n b\n# c\nd\n",
       {kStart, kContinuation, kComment, kStart},
       {{"a b", 0, 1}, {"d", 3, 3}}},
      {"indented comment is no continuation",
       "a\n  # b\nc\n",
       {kStart, kComment, kStart},
       {{"a", 0, 0}, {"c", 2, 2}}},
      {"orphan", "  a\nb\n", {kContinuation, kStart}, {{"  a", 0, 0, true}, {"b", 1, 1}}},
      {"orphan behind a comment",
       "# x\n a\n  b\nc\n",
       {kComment, kContinuation, kContinuation, kStart},
       {{" a  b", 1, 2, true}, {"c", 3, 3}}},
      {"CRLF", "a\r\n b\r\n", {kStart, kContinuation}, {{"a\r b\r", 0, 1}}},
      {"NUL ends the text", std::string("a\0b\n", 4), {kStart}, {{"a", 0, 0, false, true}}},
      {"NUL in a continuation",
       std::string("a\n b\0\n c\n", 9),
       {kStart, kContinuation, kContinuation},
       {{"a b", 0, 2, false, true}}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.name) + ": " + testing::PrintToString(c.text));
    const Lines lines(c.text);
    std::vector<LineKind> kinds;
    for (const Line& line : lines.physical()) kinds.push_back(line.kind);
    EXPECT_EQ(kinds, c.kinds);
    ASSERT_EQ(lines.logical().size(), c.logical.size());
    for (std::size_t i = 0; i < c.logical.size(); ++i) {
      SCOPED_TRACE(i);
      EXPECT_EQ(lines.logical()[i].text, c.logical[i].text);
      EXPECT_EQ(lines.logical()[i].first, c.logical[i].first);
      EXPECT_EQ(lines.logical()[i].last, c.logical[i].last);
      EXPECT_EQ(lines.logical()[i].is_orphan, c.logical[i].is_orphan);
      EXPECT_EQ(lines.logical()[i].has_nul, c.logical[i].has_nul);
    }
  }
}

TEST(Lines, BytesAndContent) {
  const Lines lines("a\r\n\nb");
  ASSERT_EQ(lines.physical().size(), 3U);
  EXPECT_EQ(lines.bytes(0), "a\r\n");
  EXPECT_EQ(lines.content(0), "a\r");
  EXPECT_EQ(lines.bytes(1), "\n");
  EXPECT_EQ(lines.content(1), "");
  EXPECT_EQ(lines.bytes(2), "b");
  EXPECT_EQ(lines.content(2), "b");
}

TEST(Lines, TextWithNewlines) {
  const Lines lines("a {\n# note\n\n  b\n }\nc\n");
  ASSERT_EQ(lines.logical().size(), 2U);
  EXPECT_EQ(lines.text_with_newlines(lines.logical()[0]), "a {\n  b\n }");
  EXPECT_EQ(lines.text_with_newlines(lines.logical()[1]), "c");
}

TEST(Lines, PositionInTheFile) {
  const Lines lines("# x\nab\n# note\n cd\n\n\te\nf\n");
  ASSERT_EQ(lines.logical().size(), 2U);
  const LogicalLine& line = lines.logical()[0];
  ASSERT_EQ(line.text, "ab cd\te");
  struct PositionCase {
    std::size_t offset;
    Position place;
  };
  for (const PositionCase& c : {PositionCase{0, {2, 1}}, PositionCase{1, {2, 2}}, PositionCase{3, {4, 2}},
                                PositionCase{4, {4, 3}}, PositionCase{6, {6, 2}}, PositionCase{7, {6, 3}}}) {
    SCOPED_TRACE(c.offset);
    EXPECT_EQ(lines.position(line, c.offset).line, c.place.line);
    EXPECT_EQ(lines.position(line, c.offset).column, c.place.column);
  }
  EXPECT_EQ(lines.position(lines.logical()[1], 0), (Position{7, 1}));
}

TEST(Lines, TakeLine) {
  struct Step {
    const char* line;
    LineKind kind;
  };
  std::string_view text = "a\n  b\n#c\n\nd";
  for (const Step& step : {Step{"a\n", kStart}, Step{"  b\n", kContinuation}, Step{"#c\n", kComment},
                           Step{"\n", kBlank}, Step{"d", kStart}}) {
    LineKind kind{};
    EXPECT_EQ(take_line(text, kind), step.line);
    EXPECT_EQ(kind, step.kind) << step.line;
  }
  EXPECT_TRUE(text.empty());
}

TEST(Lines, Report) {
  const std::string text("  a\nb\0c\nd\ne\0\n", 13);
  struct ReportCase {
    int end;
    std::vector<std::string> messages;
  };
  const std::string orphan = "f: logical line must not start with whitespace: \"  a\"";
  const std::string first = "f, line 2: text after null byte may be ignored";
  const std::string second = "f, line 4: text after null byte may be ignored";
  for (const ReportCase& c : {ReportCase{0, {orphan, first, second}}, ReportCase{4, {orphan, first}},
                              ReportCase{2, {orphan}}, ReportCase{1, {}}}) {
    SCOPED_TRACE(c.end);
    DiagnosticList sink;
    Lines(text).report("f", c.end, sink);
    std::vector<std::string> messages;
    for (const Diagnostic& d : sink.items()) messages.push_back(d.message);
    EXPECT_EQ(messages, c.messages);
  }
}

TEST(WithFinalNewline, OnlyForAChangedText) {
  struct NewlineCase {
    const char* name;
    const char* text;
    const char* original;
    const char* expected;
  };
  for (const NewlineCase& c :
       {NewlineCase{"unchanged", "a", "a", "a"}, NewlineCase{"changed", "b", "a", "b\n"},
        NewlineCase{"changed, has one", "b\n", "a", "b\n"}, NewlineCase{"became empty", "", "a", ""},
        NewlineCase{"empty", "", "", ""}})
    EXPECT_EQ(with_final_newline(c.text, c.original), c.expected) << c.name;
}

TEST(LinesProperty, PhysicalLinesAddUpToTheText) {
  std::mt19937 random(3);
  const std::string alphabet("a=# \t\r\n\n\n\v\f{}\0\xC3", 15);
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    const std::size_t size = random() % 60;
    for (std::size_t i = 0; i < size; ++i)
      text += round % 3 == 0 ? static_cast<char>(random() & 0xFF) : alphabet[random() % alphabet.size()];
    SCOPED_TRACE(testing::PrintToString(text));
    const Lines lines(text);
    std::string all;
    for (std::size_t i = 0; i < lines.physical().size(); ++i) {
      const std::string_view bytes = lines.bytes(i);
      ASSERT_FALSE(bytes.empty());
      ASSERT_EQ(lines.physical()[i].offset, all.size());
      ASSERT_TRUE(bytes.find('\n') == std::string_view::npos || bytes.find('\n') == bytes.size() - 1);
      all += bytes;
    }
    ASSERT_EQ(all, text);
    std::size_t next = 0;
    for (const LogicalLine& line : lines.logical()) {
      ASSERT_LE(next, line.first);
      ASSERT_LE(line.first, line.last);
      ASSERT_LT(line.last, lines.physical().size());
      const LineKind last = lines.physical()[line.last].kind;
      ASSERT_TRUE(last == kStart || last == kContinuation);
      ASSERT_EQ(line.text.find('\0'), std::string_view::npos);
      // Only the first logical line can be an orphan.
      ASSERT_TRUE(!line.is_orphan || &line == &lines.logical().front());
      next = line.last + 1;
    }
  }
}

}  // namespace
}  // namespace libconf
