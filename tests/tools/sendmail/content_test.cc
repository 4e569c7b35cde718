#include "tools/sendmail/content.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "libconf/handle.h"

namespace sendmail {
namespace {

constexpr std::size_t kLineLength = 16;

/// Writes records down: "N|text" for a line, "L|text" for a piece of one.
class Recorder final : public RecordSink {
 public:
  void put(mta::RecordType type, std::string_view payload) override {
    records.push_back(std::string(1, static_cast<char>(type)) + '|' + std::string(payload));
  }
  std::vector<std::string> records;
};

struct Copied {
  std::vector<std::string> records;
  std::vector<std::string> recipients;
};

/// REQUIRES: the text fits into a pipe.
Copied copy(std::string_view text, ContentOptions options) {
  options.line_length_limit = kLineLength;
  options.header_address_token_limit = 100;
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  const libconf::FileDescriptor reading(ends[0]);
  {
    const libconf::FileDescriptor writing(ends[1]);
    EXPECT_EQ(::write(writing.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  Recorder recorder;
  ContentCopy content(options, recorder);
  EXPECT_TRUE(content.run(reading.get()));
  return {recorder.records, content.recipients()};
}

using Records = std::vector<std::string>;

TEST(ContentCopy, Lines) {
  const struct {
    const char* name;
    std::string_view text;
    ContentOptions options;
    Records records;
  } cases[] = {
      {"lines", "a\n\nb\n", {}, {"N|a", "N|", "N|b"}},
      {"no end", "a\nb", {}, {"N|a", "L|b"}},
      {"a long line", "0123456789abcdefX\n", {}, {"L|0123456789abcdef", "N|X"}},
      {"a dot", "a\n.\nb\n", {}, {"N|a"}},
      {"a dot at the end", "a\n.", {}, {"N|a"}},
      {"no dot", "a\n..\n.b\n. \n", {}, {"N|a", "N|..", "N|.b", "N|. "}},
      {"a dot behind a piece", "0123456789abcdef.\nb\n", {}, {"L|0123456789abcdef", "N|.", "N|b"}},
      {"dots that do not matter", "a\n.\nb\n", {.ignores_dots = true}, {"N|a", "N|.", "N|b"}},
      {"CRLF", "a\r\n.\r\nb\r\n", {}, {"N|a"}},
      {"many CR", "a\r\r\r\nb\rc\n", {}, {"N|a", "N|b\rc"}},
      {"CRLF that stays", "a\r\n.\r\n", {.line_endings = LineEndings::kNever}, {"N|a\r", "N|.\r"}},
      {"CRLF first", "a\r\nb\n", {.line_endings = LineEndings::kStrict}, {"N|a", "N|b"}},
      {"LF first", "a\nb\r\n", {.line_endings = LineEndings::kStrict}, {"N|a", "N|b\r"}},
      {"a mailbox", "From a\n>From b\nx\nFrom c\n", {}, {"N|x", "N|From c"}},
      {"a long line of a mailbox", "From 0123456789abcdef\nx\n", {}, {"N|x"}},
      {"nothing", "", {}, {}},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    EXPECT_EQ(copy(each.text, each.options).records, each.records);
  }
}

TEST(ContentCopy, RecipientsOfHeaders) {
  const ContentOptions options{.extracts_recipients = true};
  const struct {
    const char* name;
    std::string_view text;
    Records recipients;
  } cases[] = {
      {"all", "To: a, B <b@x>\nCc: \"c d\"@x\nBcc: e\n\nTo: f\n", {"a", "b@x", "c d@x", "e"}},
      {"resent", "To: a\nResent-Cc: b\n\n", {"b"}},
      {"over several lines", "To: a,\n b\n\n", {"a", "b"}},
      {"blank before the colon", "To : a\n", {"a"}},
      {"behind what is no header", "To: a\nx\nCc: b\n", {"a"}},
      {"no end", "To: a", {"a"}},
      {"none", "Subject: x\n\n", {}},
      {"no address", "To: <>\n", {}},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    EXPECT_EQ(copy(each.text, options).recipients, each.recipients);
  }
  EXPECT_EQ(copy("To: a\n\nx\ny", options).records, (Records{"N|To: a", "N|", "N|x", "L|y", "N|"}));
}

}  // namespace
}  // namespace sendmail
