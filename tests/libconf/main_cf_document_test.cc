#include "libconf/main_cf_document.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/libconf/diagnostic_messages.h"
#include "tests/libconf/random_bytes.h"

namespace libconf {
namespace {

struct ExpectedEntry {
  std::string name;
  std::string value;
  int line = 0;
  Position value_place = {};
  NameValueFault fault = NameValueFault::kNone;
};

struct ParseCase {
  const char* name;
  std::string text;
  std::vector<ExpectedEntry> entries;
};

TEST(MainCfDocument, Entries) {
  constexpr NameValueFault kMissingName = NameValueFault::kMissingName;
  constexpr NameValueFault kMissingEquals = NameValueFault::kMissingEquals;
  const ParseCase cases[] = {
      {"empty file", "", {}},
      {"comments and blanks only", "# a = 1\n\n  # b\n", {}},
      {"one setting", "a = 1\n", {{"a", "1", 1, {1, 5}}}},
      {"no blanks", "a=1\n", {{"a", "1", 1, {1, 3}}}},
      {"many blanks", "a \t =\t  1  \n", {{"a", "1", 1, {1, 9}}}},
      {"no final newline", "a = 1", {{"a", "1", 1, {1, 5}}}},
      {"equals in the value", "a = b=c = d\n", {{"a", "b=c = d", 1, {1, 5}}}},
      {"hash in the value", "a = 1 # b\n", {{"a", "1 # b", 1, {1, 5}}}},
      {"odd characters in the name", "a-b.c$ = 1\n", {{"a-b.c$", "1", 1, {1, 10}}}},
      {"backslash is literal", "a = 1\\\nb = 2\n", {{"a", "1\\", 1, {1, 5}}, {"b", "2", 2, {2, 5}}}},
      {"continuation", "a = 1\n  2\n\t3\nb = 4\n", {{"a", "1  2\t3", 1, {1, 5}}, {"b", "4", 4, {4, 5}}}},
      {"continuation behind comment and blank", "a = 1\n# x\n\n 2\n", {{"a", "1 2", 1, {1, 5}}}},
      {"value on the next line", "a =\n  1\n", {{"a", "1", 1, {2, 3}}}},
      {"CRLF", "a = 1\r\n 2\r\nb = 3\r\n", {{"a", "1\r 2", 1, {1, 5}}, {"b", "3", 3, {3, 5}}}},
      {"orphan is no entry", "  a = 1\nb = 2\n", {{"b", "2", 2, {2, 5}}}},
      {"duplicates are all there", "a = 1\na = 2\n", {{"a", "1", 1, {1, 5}}, {"a", "2", 2, {2, 5}}}},
      {"NUL ends the value",
       std::string("a = 1\0 2\nb = 3\n", 15),
       {{"a", "1", 1, {1, 5}}, {"b", "3", 2, {2, 5}}}},
      {"bytes beyond ASCII", "a = \xC3\xBC\xFF\n", {{"a", "\xC3\xBC\xFF", 1, {1, 5}}}},
      {"no equals sign", "a 1\nb = 2\n", {{"", "", 1, {0, 0}, kMissingEquals}, {"b", "2", 2, {2, 5}}}},
      {"name only", "a\n", {{"", "", 1, {0, 0}, kMissingEquals}}},
      {"blank in the name", "a b = 1\n", {{"", "", 1, {0, 0}, kMissingEquals}}},
      {"no name", "= 1\n", {{"", "", 1, {0, 0}, kMissingName}}},
  };
  for (const ParseCase& c : cases) {
    SCOPED_TRACE(std::string(c.name) + ": " + c.text);
    const MainCfDocument document = MainCfDocument::parse(c.text, "main.cf");
    EXPECT_EQ(document.text(), c.text);
    EXPECT_EQ(document.file(), "main.cf");
    ASSERT_EQ(document.entries().size(), c.entries.size());
    for (std::size_t i = 0; i < c.entries.size(); ++i) {
      const MainCfEntry& entry = document.entries()[i];
      const ExpectedEntry& expected = c.entries[i];
      SCOPED_TRACE(i);
      EXPECT_EQ(entry.name, expected.name);
      EXPECT_EQ(entry.value, expected.value);
      EXPECT_EQ(entry.line, expected.line);
      EXPECT_EQ(entry.fault, expected.fault);
      if (expected.fault == NameValueFault::kNone) {
        EXPECT_EQ(entry.value_place.line, expected.value_place.line);
        EXPECT_EQ(entry.value_place.column, expected.value_place.column);
      }
    }
  }
}

TEST(MainCfDocument, EmptyValue) {
  for (const char* text : {"a =\n", "a=\n", "a = \n", "a =\t\r\n", "a ="}) {
    SCOPED_TRACE(text);
    const MainCfDocument document = MainCfDocument::parse(text, "main.cf");
    ASSERT_EQ(document.entries().size(), 1U);
    EXPECT_EQ(document.entries()[0].name, "a");
    EXPECT_EQ(document.entries()[0].value, "");
    EXPECT_EQ(document.first_fault(), nullptr);
  }
}

TEST(MainCfDocument, ViewsSurviveAMove) {
  MainCfDocument first = MainCfDocument::parse("a = 1\n", "main.cf");
  const std::string_view value = first.entries()[0].value;
  const MainCfDocument second = std::move(first);
  EXPECT_EQ(value, "1");
  EXPECT_EQ(value.data(), second.entries()[0].value.data());
}

TEST(MainCfDocument, FirstFault) {
  struct Case {
    const char* name;
    const char* text;
    const char* message;  ///< nullptr: no fault.
    int line;
  };
  const Case cases[] = {
      {"good", "a = 1\n", nullptr, 0},
      {"no equals sign", "a = 1\n# x\nb 2\nc\n", "main.cf, line 3: missing '=' after attribute name: \"b 2\"",
       3},
      {"no name", "\n= 1\n", "main.cf, line 2: missing attribute name: \"= 1\"", 2},
      {"over several lines", "a\n b\n", "main.cf, line 1: missing '=' after attribute name: \"a b\"", 1},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.name) + ": " + c.text);
    const MainCfDocument document = MainCfDocument::parse(c.text, "main.cf");
    const MainCfEntry* fault = document.first_fault();
    ASSERT_EQ(fault != nullptr, c.message != nullptr);
    if (fault == nullptr) continue;
    const Error error = document.fault_error(*fault);
    EXPECT_EQ(error.kind, ErrorKind::kSyntax);
    EXPECT_EQ(error.message, c.message);
    EXPECT_EQ(error.file, "main.cf");
    EXPECT_EQ(error.line, c.line);
  }
}

TEST(MainCfDocument, LoadOfAMissingFile) {
  const std::string file = testing::TempDir() + "postkit-no-such-directory/main.cf";
  const Result<MainCfDocument> document = MainCfDocument::load(file);
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().kind, ErrorKind::kInputOutput);
  EXPECT_EQ(document.error().message, "open " + file + ": No such file or directory");
  EXPECT_EQ(document.error().file, file);
}

struct ReportCase {
  const char* name;
  std::string text;
  std::string config_directory;
  std::vector<std::string> messages;
};

TEST(MainCfDocument, Report) {
  const ReportCase cases[] = {
      {"nothing", "a = 1\nb = 2\n", "", {}},
      {"overridden", "a = 1\nb = 3\na = 2\n", "", {"main.cf, line 3: overriding earlier entry: a=1"}},
      {"overridden twice",
       "a = 1\na = 2\na = 3\n",
       "",
       {"main.cf, line 2: overriding earlier entry: a=1", "main.cf, line 3: overriding earlier entry: a=2"}},
      {"the same value twice is harmless", "a = 1\na = 1\n", "", {}},
      {"indented first line",
       "  a = 1\nb = 2\n",
       "",
       {"main.cf: logical line must not start with whitespace: \"  a = 1\""}},
      {"comment after text",
       "a = 1 # two three\n",
       "",
       {"main.cf: #comment after other text is not allowed: # two three..."}},
      {"comment starts the value",
       "a = #one\n",
       "",
       {"main.cf: #comment after other text is not allowed: #one ..."}},
      {"hash inside a word", "a = 1#2\n", "", {}},
      {"NUL byte",
       std::string("a = 1\0 2\n", 9),
       "",
       {"main.cf, line 1: text after null byte may be ignored"}},
      {"only up to the first malformed line", "a = 1\nb\na = 2\n", "", {}},
      {"config_directory counts as an entry",
       "config_directory = /b\n",
       "/a",
       {"main.cf, line 1: overriding earlier entry: config_directory=/a"}},
      {"config_directory, the same", "config_directory = /a\n", "/a", {}},
  };
  for (const ReportCase& c : cases) {
    SCOPED_TRACE(std::string(c.name) + ": " + c.text);
    DiagnosticList sink;
    MainCfDocument::parse(c.text, "main.cf").report(sink, c.config_directory);
    EXPECT_EQ(messages(sink), c.messages);
  }
}

TEST(MainCfDocument, ReportTellsThePlace) {
  DiagnosticList sink;
  MainCfDocument::parse("\na = 1\n  b # c\na = 2\n", "main.cf").report(sink);
  ASSERT_EQ(sink.items().size(), 2U);
  EXPECT_EQ(sink.items()[0].code, "comment-after-text");
  EXPECT_EQ(sink.items()[0].file, "main.cf");
  EXPECT_EQ(sink.items()[0].line, 2);
  EXPECT_EQ(sink.items()[1].code, "duplicate-parameter");
  EXPECT_EQ(sink.items()[1].line, 4);
}

/// "name=value" sets, "-name" removes, "#name" comments out.
MainCfEdit make_edit(const std::vector<std::string>& changes, DiagnosticSink& sink) {
  MainCfEdit edit;
  for (const std::string& change : changes) {
    const std::size_t equals = change.find('=');
    if (change[0] == '-')
      edit.remove(change.substr(1));
    else if (change[0] == '#')
      edit.comment_out(change.substr(1));
    else
      edit.set(change.substr(0, equals), change.substr(equals + 1), sink);
  }
  return edit;
}

struct EditCase {
  const char* name;
  std::vector<std::string> changes;
  std::string before;
  std::string after;
  std::vector<std::string> messages = {};
};

// The files as the stock postconf edits them, but for the final newline that 3.12 adds.
const EditCase kEdits[] = {
    {"set replaces", {"a=new"}, "a = 1\nb = 2\n", "a = new\nb = 2\n"},
    {"set, file without blanks", {"a=new"}, "a=1\n", "a = new\n"},
    {"set to nothing", {"a="}, "a = 1\n", "a = \n"},
    {"set over several lines", {"a=new"}, "a = 1\n  2\n\t3\nb = 4\n", "a = new\nb = 4\n"},
    {"comment inside a continuation stays",
     {"a=new"},
     "a = 1\n# c\n  2\n\n\t3\nb = 4\n",
     "a = new\n# c\n\nb = 4\n"},
    {"all duplicates change",
     {"a=new"},
     "a = 1\nb = 4\na = 5\n",
     "a = new\nb = 4\na = new\n",
     {"main.cf: multiple entries for \"a\""}},
    {"three duplicates warn once",
     {"-a"},
     "a = 1\na = 2\na = 3\n",
     "",
     {"main.cf: multiple entries for \"a\""}},
    {"commented setting does not count", {"a=new"}, "#a = 1\n", "#a = 1\na = new\n"},
    {"new names go to the end, sorted", {"nn=2", "mm=1"}, "a = 1\n", "a = 1\nmm = 1\nnn = 2\n"},
    {"new name in an empty file", {"a=1"}, "", "a = 1\n"},
    {"new name behind a line without newline", {"n=2"}, "a = 1", "a = 1\nn = 2\n"},
    {"longer name is another one", {"ab=2"}, "a = 1\nabc = 3\n", "a = 1\nabc = 3\nab = 2\n"},
    {"names differ by case", {"A=2"}, "a = 1\n", "a = 1\nA = 2\n"},
    {"changed file gets its final newline", {"a=2"}, "a = 1\nb = 1", "a = 2\nb = 1\n"},
    {"unchanged file stays without it", {"-x"}, "a = 1\nb = 1", "a = 1\nb = 1"},
    {"CRLF of other lines stays", {"a=2"}, "a = 1\r\nb = 1\r\n", "a = 2\nb = 1\r\n"},
    {"remove", {"-a"}, "a = 1\nb = 2\n", "b = 2\n"},
    {"remove over several lines", {"-a"}, "a = 1\n# c\n  2\nb = 2\n", "# c\nb = 2\n"},
    {"remove what is not there", {"-x"}, "a = 1\n", "a = 1\n"},
    {"comment out", {"#a"}, "a = 1\nb = 2\n", "#a = 1\nb = 2\n"},
    {"comment out over several lines",
     {"#a"},
     "a = 1\n# c\n  2\n\n\t3\nb = 4\n",
     "#a = 1\n# c\n#  2\n\n#\t3\nb = 4\n"},
    {"comment out keeps CRLF", {"#a"}, "a = 1\r\n", "#a = 1\r\n"},
    {"malformed lines stay", {"a=2"}, "junk line\na = 1\n= x\n", "junk line\na = 2\n= x\n"},
    {"several at once", {"a=9", "-b", "#c"}, "a = 1\nb = 2\nc = 3\nd = 4\n", "a = 9\n#c = 3\nd = 4\n"},
    {"the last value counts", {"a=2", "a=3"}, "a = 1\n", "a = 3\n", {"ignoring earlier request: 'a = 2'"}},
    {"the same value twice is harmless", {"a=2", "a=2"}, "a = 1\n", "a = 2\n"},
    {"orphan line stays", {"a=2"}, "  x\na = 1\n", "  x\na = 2\n"},
};

TEST(MainCfEdit, Apply) {
  for (const EditCase& c : kEdits) {
    SCOPED_TRACE(c.name);
    DiagnosticList sink;
    EXPECT_EQ(make_edit(c.changes, sink).apply(c.before, "main.cf", sink), c.after);
    EXPECT_EQ(messages(sink), c.messages);
  }
}

TEST(MainCfEdit, IsIdempotent) {
  for (const EditCase& c : kEdits) {
    SCOPED_TRACE(c.name);
    DiagnosticList sink;
    EXPECT_EQ(make_edit(c.changes, sink).apply(c.after, "main.cf", sink), c.after);
  }
}

TEST(MainCfEdit, NamesSet) {
  DiagnosticList sink;
  EXPECT_EQ(make_edit({"b=1", "-c", "a=2", "#d", "b=1"}, sink).names_set(),
            (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(MainCfEdit().names_set().empty());
}

/// A main.cf of odd pieces.
std::string random_text(std::mt19937& random) {
  static const std::string kPieces[] = {
      "a = 1", "b = 2", "a=3",     "cc",        "= 4",    "#",   "# note", " ",   "\t",     "  more", "\n",
      "\n",    "\n",    "\n",      "\r\n",      "\\",     "a",   "b",      "$x",  "{",      "\xC3",   "\v",
      "\f",    "=",     "a = b #", "long name", "ab = 1", " \n", "\t#x",   "b =", "d=\n\t5"};
  std::string text;
  const std::size_t count = random() % 24;
  for (std::size_t i = 0; i < count; ++i) text += kPieces[random() % std::size(kPieces)];
  if (random() % 8 == 0 && !text.empty()) text[random() % text.size()] = static_cast<char>(random() & 0xFF);
  return text;
}

TEST(MainCfDocumentProperty, ParseKeepsEveryByte) {
  std::mt19937 random(1);
  for (int round = 0; round < 4000; ++round) {
    const std::string text = round % 2 == 0 ? random_bytes(random, 64) : random_text(random);
    const MainCfDocument document = MainCfDocument::parse(text, "main.cf");
    ASSERT_EQ(document.text(), text);
    int last_line = 0;
    for (const MainCfEntry& entry : document.entries()) {
      ASSERT_GT(entry.line, last_line);
      last_line = entry.line;
      ASSERT_EQ(entry.name.empty(), entry.fault != NameValueFault::kNone) << testing::PrintToString(text);
    }
    DiagnosticList sink;
    document.report(sink);
  }
}

/// The physical lines of `text` that no entry called `name` owns, without newlines.
std::vector<std::string> other_lines(const std::string& text, std::string_view name) {
  const MainCfDocument document = MainCfDocument::parse(text, "main.cf");
  const Lines& lines = document.lines();
  std::vector<bool> is_owned(lines.physical().size());
  for (const LogicalLine& line : lines.logical()) {
    if (line.is_orphan) continue;
    // A name ends where the edit says that it ends.
    std::size_t end = 0;
    const std::string_view start = lines.content(line.first);
    while (end < start.size() && !is_space(start[end]) && start[end] != '=') ++end;
    if (start.substr(0, end) != name) continue;
    for (std::size_t i = line.first; i <= line.last; ++i)
      is_owned[i] =
          lines.physical()[i].kind == LineKind::kStart || lines.physical()[i].kind == LineKind::kContinuation;
  }
  std::vector<std::string> out;
  for (std::size_t i = 0; i < lines.physical().size(); ++i)
    if (!is_owned[i]) out.emplace_back(lines.content(i));
  return out;
}

TEST(MainCfEditProperty, OnlyTheLinesOfTheNameChange) {
  std::mt19937 random(2);
  const std::string names[] = {"a", "b", "ab", "new"};
  for (int round = 0; round < 4000; ++round) {
    const std::string text = random_text(random);
    const std::string& name = names[random() % std::size(names)];
    const unsigned kind = random() % 3;
    SCOPED_TRACE(testing::PrintToString(text) + " " + name + " " + std::to_string(kind));
    DiagnosticDiscard discard;
    MainCfEdit edit;
    if (kind == 0) edit.set(name, "value", discard);
    if (kind == 1) edit.remove(name);
    if (kind == 2) edit.comment_out(name);
    const std::string changed = edit.apply(text, "main.cf", discard);

    const std::vector<std::string> before = other_lines(text, name);
    std::vector<std::string> after = other_lines(changed, name);
    if (kind == 2) {
      // What was commented out is a comment now: drop the new comments.
      const Lines old_lines(text);
      std::vector<std::string> expected;
      std::size_t next = 0;
      for (const std::string& line : after)
        if (next < before.size() && line == before[next]) {
          expected.push_back(line);
          ++next;
        } else {
          ASSERT_EQ(line[0], '#');
        }
      after = expected;
    }
    ASSERT_EQ(after, before);
    // The value arrived.
    const MainCfDocument document = MainCfDocument::parse(changed, "main.cf");
    const bool found = std::any_of(document.entries().begin(), document.entries().end(),
                                   [&](const MainCfEntry& e) { return e.name == name; });
    if (kind != 0) {
      ASSERT_FALSE(found);
    } else {
      ASSERT_TRUE(found);
      for (const MainCfEntry& entry : document.entries()) {
        if (entry.name != name) continue;
        ASSERT_EQ(entry.value, "value");
      }
    }
    ASSERT_EQ(edit.apply(changed, "main.cf", discard), changed);
  }
}

}  // namespace
}  // namespace libconf
