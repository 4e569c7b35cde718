#include "tools/mta/smtp/line_reader.h"

#include <gtest/gtest.h>

#include "libconf/text.h"

namespace mta {
namespace {

using Strings = std::vector<std::string>;

/// What a reader makes of `input`, given in portions of `size` bytes: "text" or, after a bare newline,
/// "text!".
Strings commands(std::string_view input, std::size_t size, BareNewline mode = BareNewline::kNormalize) {
  CommandReader reader(8, mode, true);
  Strings out;
  while (!input.empty()) {
    std::string_view portion = input.substr(0, size);
    input.remove_prefix(portion.size());
    while (const auto command = reader.read(portion)) {
      out.push_back(libconf::concat(command->text, command->has_bare_newline ? "!" : ""));
    }
    EXPECT_TRUE(portion.empty());
  }
  return out;
}

// The limit is 8 bytes. What becomes of a line that is too long was seen in Postfix 3.7.
TEST(CommandReader, ReadsLines) {
  using namespace std::string_literals;
  const struct {
    std::string name;
    std::string input;
    Strings expected;
  } kCases[] = {
      {"lines", "a\r\nbc\r\n", {"a", "bc"}},
      {"empty lines", "\r\n\r\n", {"", ""}},
      {"no end yet", "a\r\nbc", {"a"}},
      {"no end but <CR>", "a\r", {}},
      {"bare newline", "a\nb\r\n", {"a!", "b"}},
      {"<CR> inside", "a\rb\r\n", {"a\rb"}},
      {"<CR> twice", "a\r\r\n", {"a\r"}},
      {"what follows a NUL", "a\0b\r\nc\r\n"s, {"a", "c"}},
      {"as long as the limit", "1234567\r\n", {"1234567"}},
      {"the limit is in front of <CR>", "12345678\r\nb\r\n", {"12345678", "b"}},
      {"too long", "123456789abcdefghijklm\r\nb\r\n", {"12345678", "b"}},
      {"too long, and a bare newline", "123456789\nb\r\n", {"12345678", "b"}},
      {"too long, with controls", "1\x01\r4567\r89\r\n", {"1??4567?"}},
      {"too long, with UTF-8",
       "1\xc3\xa4\xe4"
       "56789\r\n",
       {"1\xc3\xa4?5678"}},
  };
  for (const auto& test_case : kCases) {
    for (const std::size_t size : {1, 2, 3, 7, 100}) {
      EXPECT_EQ(commands(test_case.input, size), test_case.expected)
          << test_case.name << " in portions of " << size;
    }
  }
}

TEST(CommandReader, DropsEveryCarriageReturnWhereBareNewlinesAreAllowed) {
  EXPECT_EQ(commands("a\r\r\nb\n", 100, BareNewline::kAllow), (Strings{"a", "b!"}));
}

TEST(CommandReader, KnowsOfTheStartOfAnotherCommand) {
  CommandReader reader(512, BareNewline::kNormalize, true);
  std::string_view input = "NOOP\r\nQU";
  ASSERT_TRUE(reader.read(input));
  EXPECT_EQ(input, "QU");
  EXPECT_FALSE(reader.has_pending());
  EXPECT_FALSE(reader.read(input));
  EXPECT_TRUE(reader.has_pending());
}

TEST(CommandReader, TellsOfALineThatIsTooLong) {
  CommandReader reader(5, BareNewline::kNormalize, true);
  std::string_view input = "123456\r\n1234\r\nabcdefghij";
  const std::optional<CommandInput> line = reader.read(input);
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->is_too_long);
  EXPECT_EQ(line->text, "12345");
  const std::optional<CommandInput> next = reader.read(input);
  ASSERT_TRUE(next);
  EXPECT_FALSE(next->is_too_long);
  EXPECT_FALSE(reader.read(input));
  reader.clear();
  input = "QUIT\r\n";
  const std::optional<CommandInput> after = reader.read(input);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->text, "QUIT");
  EXPECT_FALSE(after->is_too_long);
}

TEST(LineSplitter, GivesAViewOfInputThatHoldsALine) {
  LineSplitter splitter(512, false);
  const std::string_view bytes = "line\r\nnext";
  std::string_view input = bytes;
  const auto piece = splitter.next(input);
  ASSERT_TRUE(piece);
  EXPECT_EQ(piece->text.data(), bytes.data());
}

TEST(BareNewline, HasTheNamesOfPostconf) {
  EXPECT_EQ(parse_bare_newline("no"), BareNewline::kAllow);
  EXPECT_EQ(parse_bare_newline("Yes"), BareNewline::kNormalize);
  EXPECT_EQ(parse_bare_newline("normalize"), BareNewline::kNormalize);
  EXPECT_EQ(parse_bare_newline("REJECT"), BareNewline::kReject);
  EXPECT_EQ(parse_bare_newline("note"), BareNewline::kNote);
  EXPECT_EQ(parse_bare_newline(""), std::nullopt);
  EXPECT_EQ(parse_bare_newline("maybe"), std::nullopt);
}

}  // namespace
}  // namespace mta
