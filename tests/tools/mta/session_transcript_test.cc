#include "tools/mta/smtp/session_transcript.h"

#include <gtest/gtest.h>

#include <vector>

#include "libconf/host.h"
#include "tools/mta/daemon/error_class.h"
#include "tools/mta/delivery/folded_text.h"
#include "tools/mta/smtp/reply.h"

namespace mta {
namespace {

using Strings = std::vector<std::string>;

Strings lines_of(const SessionTranscript& transcript) {
  Strings lines;
  transcript.for_each_line([&](SessionTranscript::Direction direction, std::string_view line) {
    lines.push_back((direction == SessionTranscript::Direction::kIn ? "C:" : "S:") + std::string(line));
  });
  return lines;
}

TEST(SessionTranscript, HasWhatWasSaid) {
  SessionTranscript transcript(ErrorClass::kProtocol);
  EXPECT_EQ(lines_of(transcript), Strings());
  transcript.sent("220 mail ESMTP\r\n");
  transcript.received("EHLO client");
  transcript.sent("250-mail\r\n250 DSN\r\n");
  transcript.received("");
  transcript.received("<x> \r");
  transcript.sent("500 what \r\r\n");
  EXPECT_EQ(lines_of(transcript), (Strings{"S:220 mail ESMTP", "C:EHLO client", "S:250-mail", "S:250 DSN",
                                           "C:", "C:<x> \r", "S:500 what \r"}));
  EXPECT_FALSE(transcript.is_cut());
}

TEST(SessionTranscript, IsWantedForSomeErrors) {
  SessionTranscript transcript(ErrorClass::kProtocol | ErrorClass::kResource);
  EXPECT_FALSE(transcript.is_wanted());
  transcript.note(ErrorClass::kPolicy);
  EXPECT_FALSE(transcript.is_wanted());
  transcript.note({});
  transcript.note(ErrorClass::kResource);
  EXPECT_TRUE(transcript.is_wanted());
  EXPECT_EQ(transcript.seen(), ErrorClass::kPolicy | ErrorClass::kResource);
}

TEST(SessionTranscript, ForgivesAndForgets) {
  SessionTranscript transcript(ErrorClass::kProtocol);
  transcript.received("FOO");
  transcript.note(ErrorClass::kProtocol);
  transcript.forgive();
  EXPECT_FALSE(transcript.is_wanted());
  EXPECT_EQ(lines_of(transcript), Strings{"C:FOO"});
  transcript.note(ErrorClass::kProtocol);
  transcript.restart();
  EXPECT_FALSE(transcript.is_wanted());
  EXPECT_EQ(lines_of(transcript), Strings());
}

TEST(SessionTranscript, HasNothingWhenNothingIsWanted) {
  SessionTranscript transcript{ErrorClasses()};
  transcript.received("FOO");
  transcript.sent("500 what\r\n");
  transcript.note(ErrorClass::kProtocol);
  EXPECT_FALSE(transcript.is_wanted());
  EXPECT_EQ(lines_of(transcript), Strings());
  EXPECT_LE(transcript.release().capacity(), std::string().capacity());
}

TEST(SessionTranscript, UsesTheBufferAgain) {
  std::string buffer = "of another session";
  buffer.reserve(1000);
  const char* const place = buffer.data();
  SessionTranscript transcript(ErrorClass::kProtocol, std::move(buffer));
  transcript.received("NOOP");
  EXPECT_EQ(lines_of(transcript), Strings{"C:NOOP"});
  EXPECT_EQ(transcript.release().data(), place);
}

// All lines at the end are there, whole; the buffer does not grow for ever.
TEST(SessionTranscript, LeavesTheBeginningOutOfWhatHasNoEnd) {
  SessionTranscript transcript(ErrorClass::kProtocol);
  const std::string filler(1000, 'x');
  constexpr int kLines = 5000;
  for (int i = 0; i < kLines; ++i) {
    transcript.received(std::to_string(i) + filler);
    transcript.sent("500 " + std::to_string(i) + "\r\n");
  }
  EXPECT_TRUE(transcript.is_cut());
  const Strings lines = lines_of(transcript);
  EXPECT_GT(lines.size(), SessionTranscript::kLimit / (filler.size() + 20) / 2);
  int number = kLines;
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    const bool is_reply = line->starts_with("S:");
    if (is_reply) --number;
    EXPECT_EQ(*line, is_reply ? "S:500 " + std::to_string(number) : "C:" + std::to_string(number) + filler);
  }
  EXPECT_LE(transcript.release().size(), SessionTranscript::kLimit);
}

// A line that is larger than everything that is kept.
TEST(SessionTranscript, TakesAnyLine) {
  SessionTranscript transcript(ErrorClass::kProtocol);
  const std::string large(SessionTranscript::kLimit + 10, 'x');
  transcript.received("NOOP");
  transcript.received(large);
  transcript.received("QUIT");
  EXPECT_EQ(lines_of(transcript).back(), "C:QUIT");
  EXPECT_TRUE(transcript.is_cut());
}

libconf::Result<ErrorClasses> read_classes(const std::string& value) {
  libconf::Settings settings(nullptr, libconf::system_host());
  settings.override_value("notify_classes", value);
  return read_notify_classes(settings);
}

TEST(ErrorClass, IsReadAsPostfixDoes) {
  EXPECT_EQ(read_classes("").value(), ErrorClasses());
  EXPECT_EQ(read_classes("resource, software").value(), ErrorClass::kResource | ErrorClass::kSoftware);
  EXPECT_EQ(read_classes("2bounce").value(), ErrorClasses(ErrorClass::kDoubleBounce));
  EXPECT_EQ(read_classes("bounce").value(), ErrorClass::kBounce | ErrorClass::kDoubleBounce);
  EXPECT_EQ(read_classes("data delay,policy protocol").value(),
            ErrorClass::kData | ErrorClass::kDelay | ErrorClass::kPolicy | ErrorClass::kProtocol);
}

// What Postfix 3.7 logged.
TEST(ErrorClass, RefusesOthers) {
  EXPECT_EQ(read_classes("protocol foo").error().message,
            "unknown notify_classes value \"foo\" in \"protocol foo\"");
  EXPECT_EQ(read_classes("PROTOCOL, Resource").error().message,
            "unknown notify_classes value \"PROTOCOL\" in \"PROTOCOL, Resource\"");
}

Strings folded(std::string_view text, const Folding& folding = {}) {
  Strings lines;
  for_each_folded(text, folding, [&](std::string_view line) { lines.emplace_back(line); });
  return lines;
}

// As Postfix 3.7 wrote them into transcripts, whose lines have 78 bytes behind a blank.
TEST(FoldedText, IsFoldedAsInTranscripts) {
  constexpr Folding kTranscript{.width = 78, .start = " "};
  const auto text = [](char letter, std::size_t size) { return std::string(size, letter); };
  EXPECT_EQ(folded("In:  ", kTranscript), Strings{" In:"});
  EXPECT_EQ(folded("In:  " + text('a', 73), kTranscript), Strings{" In:  " + text('a', 73)});
  EXPECT_EQ(folded("In:  " + text('a', 74), kTranscript), (Strings{" In:", "     " + text('a', 74)}));
  EXPECT_EQ(folded("In:  " + text('a', 72) + " b", kTranscript),
            (Strings{" In:  " + text('a', 72), "     b"}));
  EXPECT_EQ(folded("In:  FOO " + text('d', 70) + " e", kTranscript),
            (Strings{" In:  FOO", "     " + text('d', 70) + " e"}));
  EXPECT_EQ(folded("In:  a" + text(' ', 100) + "x", kTranscript), (Strings{" In:  a", "     x"}));
  EXPECT_EQ(folded("In:  F b " + text('x', 71) + "   ", kTranscript),
            (Strings{" In:  F b", "     " + text('x', 71)}));
  EXPECT_EQ(folded("In:  F b " + text('x', 72) + "   ", kTranscript),
            (Strings{" In:  F b", "     " + text('x', 72), "     "}));
}

TEST(Reply, TellsThePostmasterMoreThanTheClient) {
  const Reply reply(550, "5.7.1", "no", ErrorClass::kPolicy);
  EXPECT_EQ(reply.error_classes(), ErrorClasses(ErrorClass::kPolicy));
  EXPECT_EQ(softened(reply).error_classes(), ErrorClasses(ErrorClass::kPolicy));
  EXPECT_EQ(parse_reply("550 5.7.1 no", ErrorClass::kData).error_classes(), ErrorClasses(ErrorClass::kData));
  EXPECT_EQ(Reply(250, "", "").error_classes(), ErrorClasses());
  EXPECT_EQ(reply, Reply(550, "5.7.1", "no"));
}

}  // namespace
}  // namespace mta
