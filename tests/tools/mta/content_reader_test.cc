#include "tools/mta/smtp/content_reader.h"

#include <gtest/gtest.h>

#include "tests/tools/mta/content_lines.h"

namespace mta {
namespace {

using Strings = std::vector<std::string>;

constexpr BareNewline kAllow = BareNewline::kAllow;
constexpr BareNewline kNormalize = BareNewline::kNormalize;
constexpr BareNewline kReject = BareNewline::kReject;

ContentLimits limits(BareNewline mode) {
  return {.line_length_limit = 8, .message_size_limit = 0, .bare_newline = mode};
}

const char* const kPortions[] = {"\1", "\2", "\3", "\1\4\2", "\7", "\xff"};

// Expectations are those of Postfix 3.7 (integration.smtp_replies_test asks it), with a limit of 8 bytes.
TEST(DataReader, FindsLinesAndTheEnd) {
  using namespace std::string_literals;
  const struct {
    std::string name;
    BareNewline mode;
    std::string input;
    Strings lines;
    bool is_complete = true;
    std::string rest = "";
  } kCases[] = {
      {"lines", kNormalize, "a\r\n\r\nb\r\n.\r\nQUIT\r\n", {"N:a", "N:", "N:b"}, true, "QUIT\r\n"},
      {"no line", kNormalize, ".\r\n", {}},
      {"no end", kNormalize, "a\r\n..\r\n", {"N:a", "N:."}, false},
      {"dots", kNormalize, "..a\r\n.b\r\n...\r\n.\r\n", {"N:.a", "N:b", "N:.."}},
      {"a dot inside", kNormalize, "a.\r\n.\r\n", {"N:a."}},
      {"NUL and <CR>", kNormalize, "a\0b\rc\r\n.\r\n"s, {"N:a\0b\rc"s}},

      // CVE-2023-51764
      {"<LF>.<CR><LF>", kNormalize, "a\n.\r\nb\r\n.\r\n", {"N:a", "N:b"}},
      {"<LF>.<LF>", kNormalize, "a\n.\nb\r\n.\r\n", {"N:a", "N:b"}},
      {"<CR><LF>.<LF>", kNormalize, "a\r\n.\nb\r\n.\r\n", {"N:a", "N:b"}},
      {"<CR><LF>.<CR><CR><LF>", kNormalize, "a\r\n.\r\r\nb\r\n.\r\n", {"N:a", "N:\r", "N:b"}},
      {"<CR>.<CR><LF>", kNormalize, "a\r.\r\nb\r\n.\r\n", {"N:a\r.", "N:b"}},
      {"<LF>.<CR><LF> first", kNormalize, "\n.\r\nb\r\n.\r\n", {"N:", "N:b"}},
      {".<LF> first", kNormalize, ".\nb\r\n.\r\n", {"N:b"}},
      {"two dots after another", kNormalize, "a\r\n.\n.\r\n.\r\n", {"N:a"}},
      {"<LF>..<LF>", kNormalize, "a\n..\nb\r\n.\r\n", {"N:a", "N:.", "N:b"}},
      {"<LF>.<CR><LF>, to be rejected", kReject, "a\n.\r\nb\r\n.\r\n", {"N:a", "N:b"}},

      {"<LF>.<CR><LF> is allowed", kAllow, "a\n.\r\nb\r\n", {"N:a"}, true, "b\r\n"},
      {"<LF>.<LF> is allowed", kAllow, "a\n.\nb\r\n", {"N:a"}, true, "b\r\n"},
      {"<CR><LF>.<LF> is allowed", kAllow, "a\r\n.\nb\r\n", {"N:a"}, true, "b\r\n"},
      {"<CR><CR><LF> is allowed", kAllow, "a\r\r\n.\r\r\nb\r\n", {"N:a"}, true, "b\r\n"},
      {"<CR>.<CR><LF> is no end", kAllow, "a\r.\r\n.\r\n", {"N:a\r."}},

      {"shorter than the limit", kNormalize, "1234567\r\n.\r\n", {"N:1234567"}},
      {"as long as the limit", kNormalize, "12345678\r\n.\r\n", {"L:12345678", "N:"}},
      {"as long as the limit, <LF>", kNormalize, "12345678\n.\r\n\r\n.\r\n", {"L:12345678", "N:", "N:"}},
      {"longer", kNormalize, "123456789\r\n.\r\n", {"L:12345678", "N:9"}},
      {"a dot goes on", kNormalize, "12345678.\r\n.\r\n", {"L:12345678", "N:."}},
      {"a dot is in the limit", kNormalize, ".12345678\r\n.\r\n", {"L:1234567", "N:8"}},
      {"<CR> is the last of a piece", kNormalize, "1234567\rz\r\n.\r\n", {"L:1234567\r", "N:z"}},
      {"<CR> is the last, and another", kNormalize, "1234567\r\r\n.\r\n", {"L:1234567\r", "N:"}},
      {"<CR> in both pieces", kAllow, "12345678\r\r\n.\r\n", {"L:12345678", "N:"}},
  };
  for (const auto& test_case : kCases) {
    for (const char* const sizes : kPortions) {
      const ContentResult result = read_data(test_case.input, limits(test_case.mode), sizes);
      EXPECT_EQ(result.lines, test_case.lines) << test_case.name;
      EXPECT_EQ(result.is_complete, test_case.is_complete) << test_case.name;
      EXPECT_EQ(result.rest, test_case.rest) << test_case.name;
    }
  }
}

TEST(DataReader, NotesBareNewlines) {
  const auto has_any = [](std::string_view input) {
    return read_data(input, limits(kReject), "\xff").summary.has_bare_newline;
  };
  EXPECT_FALSE(has_any("a\r\nb\rc\r\n.\r\n"));
  EXPECT_TRUE(has_any("a\nb\r\n.\r\n"));
  EXPECT_TRUE(has_any("a\r\n.\nb\r\n.\r\n"));
  EXPECT_TRUE(has_any("12345678\n\r\n.\r\n"));
}

TEST(DataReader, StopsWhatIsTooBigAndStillFindsTheEnd) {
  ContentLimits small = limits(kNormalize);
  small.message_size_limit = 6;
  const ContentResult good = read_data("abcd\r\n.\r\n", small, "\1");
  EXPECT_FALSE(good.summary.is_too_big);
  EXPECT_EQ(good.summary.size, 6U);

  const ContentResult bad = read_data("abc\r\nx\r\n\r\n.\r\nQUIT", small, "\xff");
  EXPECT_TRUE(bad.summary.is_too_big);
  EXPECT_EQ(bad.lines, (Strings{"N:abc"}));
  EXPECT_TRUE(bad.is_complete);
  EXPECT_EQ(bad.rest, "QUIT");
}

TEST(ChunkReader, JoinsChunks) {
  const struct {
    std::string name;
    BareNewline mode;
    Strings chunks;
    Strings lines;
    std::uint64_t size;
    bool has_bare_newline = false;
  } kCases[] = {
      {"one", kNormalize, {"a\r\nb\r\n"}, {"N:a", "N:b"}, 6},
      {"a line in two", kNormalize, {"he", "llo\r\n"}, {"N:hello"}, 7},
      {"a line's end in two", kNormalize, {"h\r", "\nj\r\n"}, {"N:h", "N:j"}, 6},
      {"bytes", kNormalize, {"x", "\r", "\n", "y"}, {"N:x", "N:y"}, 6},
      {"no end", kNormalize, {"hello"}, {"N:hello"}, 7},
      {"<CR> is no end", kNormalize, {"hello\r"}, {"N:hello\r"}, 8},
      {"an empty last chunk", kNormalize, {"hel", ""}, {"N:hel"}, 5},
      {"nothing", kNormalize, {""}, {}, 0},
      {"dots", kNormalize, {".\r\n", "..\r\n", "."}, {"N:.", "N:..", "N:."}, 10},
      {"bare newlines", kReject, {"a\n.\r\n"}, {"N:a", "N:."}, 6, true},
      {"<CR><LF> in two is not bare", kReject, {"a\r", "\n"}, {"N:a"}, 3},
      {"every <CR>", kAllow, {"a\r\r\n\r\r"}, {"N:a", "N:\r\r"}, 7},
      {"as long as the limit", kNormalize, {"12345678"}, {"L:12345678", "N:"}, 10},
      {"as long as the limit, with <CR>", kNormalize, {"1234567\r"}, {"N:1234567\r"}, 10},
      {"long, in two", kNormalize, {"12345", "6789\r\n"}, {"L:12345678", "N:9"}, 13},
  };
  for (const auto& test_case : kCases) {
    for (const char* const sizes : kPortions) {
      const ContentResult result = read_chunks(test_case.chunks, limits(test_case.mode), sizes);
      EXPECT_EQ(result.lines, test_case.lines) << test_case.name;
      EXPECT_EQ(result.summary.size, test_case.size) << test_case.name;
      EXPECT_EQ(result.summary.has_bare_newline, test_case.has_bare_newline) << test_case.name;
      EXPECT_TRUE(result.is_complete) << test_case.name;
    }
  }
}

TEST(ChunkReader, TakesTheChunkAndNoMore) {
  LineRecorder recorder;
  ChunkReader reader(limits(kNormalize), recorder);
  reader.start(3, true);
  std::string_view input = "a\r\nQUIT\r\n";
  EXPECT_TRUE(reader.read(input));
  EXPECT_EQ(input, "QUIT\r\n");
}

TEST(ChunkReader, TellsWhatFits) {
  ContentLimits small = limits(kNormalize);
  small.message_size_limit = 10;
  LineRecorder recorder;
  ChunkReader reader(small, recorder);
  EXPECT_TRUE(reader.fits(10));
  EXPECT_FALSE(reader.fits(11));
  EXPECT_FALSE(reader.fits(std::numeric_limits<std::uint64_t>::max()));
  reader.start(4, false);
  std::string_view input = "ab\r\n";
  EXPECT_TRUE(reader.read(input));
  EXPECT_TRUE(reader.fits(6));
  EXPECT_FALSE(reader.fits(7));
}

TEST(ChunkSkipper, PassesOverTheChunk) {
  ChunkSkipper skipper(5);
  std::string_view input = "abc";
  EXPECT_FALSE(skipper.read(input));
  EXPECT_EQ(input, "");
  input = "deQUIT";
  EXPECT_TRUE(skipper.read(input));
  EXPECT_EQ(input, "QUIT");
}

}  // namespace
}  // namespace mta
