// Expected events are those of genuine Postfix, `postmap -hm -q -` and `postmap -bm -q -`. Kinds of headers
// are those of header_checks(5).
#include "tools/mta/content/mime_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/tools/mta/mime_events.h"

namespace mta {
namespace {

using Events = std::vector<std::string>;

struct Case {
  const char* name;
  std::string message;
  Events events;
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) EXPECT_EQ(mime_events(c.message), c.events) << c.name;
}

/// A message of parts that are divided by "--X".
std::string multipart(std::string_view rest) {
  return "Content-Type: multipart/mixed; boundary=X\n" + std::string(rest);
}
const std::string kMultipart = "M Content-Type: multipart/mixed; boundary=X";

TEST(MimeParser, EndsHeadersWhereALineIsNone) {
  check({
      {"empty message", "", {"."}},
      {"headers alone", "A: b\n", {"P A: b", "."}},
      {"no last newline", "A: b", {"P A: b", "."}},
      {"empty line", "A: b\n\nc\n", {"P A: b", ".", "B ", "B c"}},
      {"empty line first", "\nA: b\n", {".", "B ", "B A: b"}},
      {"missing empty line", "A: b\ntext\nC: d\n", {"P A: b", ".", "B ", "B text", "B C: d"}},
      {"mailbox separator", "From a@b Mon\nA: b\n", {".", "B ", "B From a@b Mon", "B A: b"}},
      {"fold first", " x\nA: b\n", {".", "B ", "B  x", "B A: b"}},
      {"carriage return", "A: b\r\n\r\nc\r\n", {"P A: b\r", ".", "B ", "B \r", "B c\r"}},
  });
}

TEST(MimeParser, JoinsFoldedHeaders) {
  check({
      {"blank and tab", "A: b\n c\n\td\n\n e\n", {"P A: b\n c\n\td", ".", "B ", "B  e"}},
      {"line of blanks", "A: b\n \nC: d\n", {"P A: b\n ", "P C: d", "."}},
      {"form feed does not fold", "A: b\n\fc\n", {"P A: b", ".", "B ", "B \fc"}},
      {"no text", "A:\nB: \n\n", {"P A:", "P B: ", ".", "B "}},
      {"NUL", std::string("A: b\0c\n d\n", 10), {"P A: b\n d", "."}},
  });
}

TEST(MimeParser, KnowsAHeaderByItsName) {
  EXPECT_EQ(mime_events("A \t : 1\n"), (Events{"P A: 1", "."}));
  for (const std::string name : {"a", "a!b", "--X", "~", "From"})
    EXPECT_EQ(mime_events(name + ": 1\n"), (Events{"P " + name + ": 1", "."})) << name;
  for (const std::string name : {"", "a b", "a\r", "a\x7f", "\xe9", "a (c)", "a\v"})
    EXPECT_EQ(mime_events(name + ": 1\n"), (Events{".", "B ", "B " + name + ": 1"})) << name;
}

TEST(MimeParser, FindsHeadersOfParts) {
  check({
      {"preamble, parts and epilogue",
       multipart("\npre\n--X\nA: 1\n\nb\n--X\n\nc\n--X--\nepi\n--X\nA: 2\n"),
       {kMultipart, ".", "B ", "B pre", "B --X", "M A: 1", "B ", "B b", "B --X", "B ", "B c", "B --X--",
        "B epi", "B --X", "B A: 2"}},
      {"delimiter ends headers",
       multipart("--X\nA: 1\n--X\nB: 2\n--X--\nC: 3\n"),
       {kMultipart, ".", "B ", "B --X", "M A: 1", "B --X", "M B: 2", "B --X--", "B C: 3"}},
      {"text instead of headers",
       multipart("\n--X\ntext\nA: 1\n--X\nB: 2\n"),
       {kMultipart, ".", "B ", "B --X", "B text", "B A: 1", "B --X", "M B: 2"}},
      {"text behind delimiters",
       multipart("\n--X \nA: 1\n\n--Xy\nB: 1\n\n--X--z\nC: 1\n"),
       {kMultipart, ".", "B ", "B --X ", "M A: 1", "B ", "B --Xy", "M B: 1", "B ", "B --X--z", "B C: 1"}},
      {"text before delimiters",
       multipart("\n --X\nA: 1\n---X\nA: 1\n"),
       {kMultipart, ".", "B ", "B  --X", "B A: 1", "B ---X", "B A: 1"}},
      {"a header that looks like a delimiter",
       multipart("\n--X\n--X: a\n\n--X: b\nB: 1\n"),
       {kMultipart, ".", "B ", "B --X", "M --X: a", "B ", "B --X: b", "M B: 1"}},
      {"empty boundary",
       "Content-Type: multipart/mixed; boundary=\"\"\n\n--\nA: 1\n--Z\nB: 1\n",
       {"M Content-Type: multipart/mixed; boundary=\"\"", ".", "B ", "B --", "B A: 1", "B --Z", "M B: 1"}},
  });
}

TEST(MimeParser, NestsMultiparts) {
  const std::string inner = "Content-Type: multipart/alternative; boundary=";
  check({
      {"outer delimiter ends inner",
       multipart("\n--X\n" + inner + "Y\n\n--Y\n\n--X\nA: 1\n\n--Y\nB: 1\n"),
       {kMultipart, ".", "B ", "B --X", "M " + inner + "Y", "B ", "B --Y", "B ", "B --X", "M A: 1", "B ",
        "B --Y", "B B: 1"}},
      {"same boundary twice",
       multipart("\n--X\n" + inner + "X\n\n--X--\n--X\nA: 1\n\n--X--\n--X\nB: 1\n"),
       {kMultipart, ".", "B ", "B --X", "M " + inner + "X", "B ", "B --X--", "B --X", "M A: 1", "B ",
        "B --X--", "B --X", "B B: 1"}},
      {"inner is a prefix of outer",
       "Content-Type: multipart/mixed; boundary=XY\n\n--XY\n" + inner + "X\n\n--XY--\nA: 1\n--XY\nB: 1\n",
       {"M Content-Type: multipart/mixed; boundary=XY", ".", "B ", "B --XY", "M " + inner + "X", "B ",
        "B --XY--", "M A: 1", "B --XY", "M B: 1"}},
  });
}

TEST(MimeParser, FindsHeadersOfAttachedMessages) {
  const std::string message = "Content-Type: message/rfc822\n";
  const std::string event = "M Content-Type: message/rfc822";
  check({
      {"nested headers",
       message + "\nA: 1\nContent-ID: 2\n\nB: 1\n",
       {event, ".", "B ", "N A: 1", "M Content-ID: 2", "B ", "B B: 1"}},
      {"no empty line before", message + "text\nA: 1\n", {event, ".", "B ", "B text", "B A: 1"}},
      {"empty line first", message + "\n\nA: 1\n", {event, ".", "B ", "B ", "B A: 1"}},
      {"text first", message + "\nFrom a\nA: 1\n", {event, ".", "B ", "B From a", "B A: 1"}},
      {"a message in it", message + "\n" + message + "\nA: 1\n", {event, ".", "B ", event, "B ", "N A: 1"}},
      {"encoding does not matter",
       message + "Content-Transfer-Encoding: base64\n\nA: 1\n",
       {event, "M Content-Transfer-Encoding: base64", ".", "B ", "N A: 1"}},
      {"ended by a delimiter",
       multipart("\n--X\n" + message + "\nA: 1\n--X\nB: 2\n"),
       {kMultipart, ".", "B ", "B --X", event, "B ", "N A: 1", "B --X", "M B: 2"}},
      {"delimiter before it begins",
       multipart("\n--X\n" + message + "--X\n\nA: 1\n"),
       {kMultipart, ".", "B ", "B --X", event, "B --X", "B ", "B A: 1"}},
  });
}

TEST(MimeParser, TakesPartsOfADigestForMessages) {
  const std::string digest = "Content-Type: multipart/digest; boundary=X";
  check({
      {"by default", digest + "\n\n--X\n\nA: 1\n", {"M " + digest, ".", "B ", "B --X", "B ", "N A: 1"}},
      {"unless they are text",
       digest + "\n\n--X\nContent-Type: text/plain\n\nA: 1\n\n--X\n\nB: 1\n",
       {"M " + digest, ".", "B ", "B --X", "M Content-Type: text/plain", "B ", "B A: 1", "B ", "B --X", "B ",
        "N B: 1"}},
      {"any type but text",
       digest + "\n\n--X\nContent-Type: image/png\n\nA: 1\n",
       {"M " + digest, ".", "B ", "B --X", "M Content-Type: image/png", "B ", "N A: 1"}},
      {"not deeper down",
       digest + "\n\n--X\n\nContent-Type: multipart/mixed; boundary=Y\n\n--Y\n\nA: 1\n",
       {"M " + digest, ".", "B ", "B --X", "B ", "M Content-Type: multipart/mixed; boundary=Y", "B ", "B --Y",
        "B ", "B A: 1"}},
  });
}

TEST(MimeParser, LetsTheLastKnownTypeCountAndAllBoundaries) {
  check({
      {"message, then text",
       "Content-Type: message/rfc822\nContent-Type: text/plain\n\nA: 1\n",
       {"M Content-Type: message/rfc822", "M Content-Type: text/plain", ".", "B ", "B A: 1"}},
      {"message, then unknown",
       "Content-Type: message/rfc822\nContent-Type: image/png\n\nA: 1\n",
       {"M Content-Type: message/rfc822", "M Content-Type: image/png", ".", "B ", "N A: 1"}},
      {"multipart, then message",
       multipart("Content-Type: message/rfc822\n\nA: 1\n\n--X\nB: 1\n"),
       {kMultipart, "M Content-Type: message/rfc822", ".", "B ", "N A: 1", "B ", "B --X", "M B: 1"}},
  });
}

TEST(MimeParser, KeepsToItsLimits) {
  EXPECT_EQ(mime_events("A: b\n c\n d\nE: long enough\n f\n", {.header_size_limit = 6}),
            (Events{"P A: b\n c", "P E: long enough", "."}));
  EXPECT_EQ(mime_events(multipart("\n--XYZ\nA: 1\n"), {.boundary_length_limit = 1}).back(), "M A: 1");
  EXPECT_EQ(mime_events("Content-Type: multipart/mixed; boundary=XYZ\n\n--XYq\nA: 1\n",
                        {.boundary_length_limit = 2})
                .back(),
            "M A: 1");

  // Postfix looks into two more than the limit.
  std::string message;
  for (const char c : {'a', 'b', 'c', 'd'}) {
    const std::string boundary(1, c);
    message += "Content-Type: multipart/mixed; boundary=" + boundary + "\n\n--" + boundary + "\n";
  }
  message += "A: 1\n";
  EXPECT_EQ(mime_events(message, {.nesting_limit = 2}).back(), "M A: 1");
  EXPECT_EQ(mime_events(message, {.nesting_limit = 1}).back(), "B A: 1");
}

TEST(MimeParser, DividesLongLines) {
  const MimeOptions options{.line_length_limit = 4};
  EXPECT_EQ(mime_events("\n1234\n12345\n123456789", options),
            (Events{".", "B ", "B 1234", "B 1234", "B 5", "B 1234", "B 5678", "B 9"}));
  EXPECT_EQ(mime_events("A: 456789\n 23456\nB: 1\n\n", options),
            (Events{"P A: 456789\n 23456", "P B: 1", ".", "B "}));
  EXPECT_EQ(mime_events("A: 456789012\n", {.header_size_limit = 6, .line_length_limit = 4}),
            (Events{"P A: 45678", "."}));
  // What follows a delimiter is no header.
  const std::string delimiter = "--X" + std::string(38, 'z');
  EXPECT_EQ(mime_events(multipart("\n" + delimiter + "A: 1\nB: 1\n"), {.line_length_limit = 41}),
            (Events{kMultipart, ".", "B ", "B " + delimiter, "B A: 1", "M B: 1"}));
}

TEST(MimeParser, LeavesMimeAloneWhenItIsOff) {
  EXPECT_EQ(mime_events(multipart("\n--X\nA: 1\n"), {.is_mime_enabled = false}),
            (Events{kMultipart, ".", "B ", "B --X", "B A: 1"}));
}

/// Lines that a message is made of, good and bad.
std::string random_message(std::mt19937& random) {
  constexpr std::string_view kLines[] = {
      "A: 1",
      " fold",
      "",
      "text",
      "--X",
      "--Y",
      "--X--",
      "--",
      "\tfold",
      "Content-ID: ",
      "B : 2",
      "Content-Type: multipart/mixed; boundary=X",
      "--Y--: a",
      "Content-Type: multipart/digest; boundary=Y; boundary=\"\"",
      "Content-Type: message/rfc822",
      "Content-Type: text/plain",
  };
  std::string message;
  for (std::size_t count = random() % 30; count > 0; --count) {
    message += kLines[random() % std::size(kLines)];
    message += '\n';
  }
  if (random() % 4 == 0 && !message.empty()) message.pop_back();
  return message;
}

TEST(MimeParser, GivesTheSameEventsInAnyChunks) {
  std::mt19937 random(6);
  for (int round = 0; round < 5000; ++round) {
    const std::string message = random_message(random);
    MimeOptions options;
    if (random() % 3 == 0) options.line_length_limit = 1 + random() % 8;
    EventRecorder recorder;
    MimeParser parser(recorder, options);
    std::string_view rest = message;
    while (!rest.empty()) {
      const std::size_t count = std::min<std::size_t>(1 + random() % 20, rest.size());
      parser.feed(rest.substr(0, count));
      rest.remove_prefix(count);
    }
    parser.finish();
    ASSERT_EQ(recorder.events, mime_events(message, options)) << message;
  }
}

// What the smtp of Postfix 3.7 sends to a server without 8BITMIME.
TEST(MimeParser, Converts8BitText) {
  const struct {
    const char* name;
    std::string message;
    Events events;
  } cases[] = {
      {"text",
       "Content-Transfer-Encoding: 8bit\nX: y\n\n\xC3 = \n",
       {"P X: y", "P Content-Transfer-Encoding: quoted-printable", ".", "B ", "B =C3 =3D=20"}},
      {"not declared", "X: y\n\n\xC3 = \n", {"P X: y", ".", "B ", "B \xC3 = "}},
      {"7bit is last",
       "Content-Transfer-Encoding: 8bit\nContent-Transfer-Encoding: 7bit\n\n\xC3\n",
       {"M Content-Transfer-Encoding: 7bit", ".", "B ", "B \xC3"}},
      {"unknown is last",
       "Content-Transfer-Encoding: 8bit\nContent-Transfer-Encoding: x\n\n\xC3\n",
       {"P Content-Transfer-Encoding: quoted-printable", ".", "B ", "B =C3"}},
      {"headers alone",
       "Content-Transfer-Encoding: binary\n",
       {"P Content-Transfer-Encoding: quoted-printable", "."}},
      {"divided",
       "Content-Transfer-Encoding: 8bit\n\n" + std::string(74, 'y') + "\n",
       {"P Content-Transfer-Encoding: quoted-printable", ".", "B ", "B " + std::string(73, 'y') + "=",
        "B y"}},
      {"parts",
       multipart(
           "Content-Transfer-Encoding: 8bit\n\n=\n--X\nContent-Transfer-Encoding: 8bit\n\n=\n--X-- =\n=\n"),
       {kMultipart, "P Content-Transfer-Encoding: 7bit", ".", "B ", "B =", "B --X",
        "M Content-Transfer-Encoding: quoted-printable", "B ", "B =3D", "B --X-- =", "B ="}},
      {"message",
       "Content-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\nA: b\nContent-Transfer-Encoding: "
       "8bit\n\n=\n",
       {"M Content-Type: message/rfc822", "P Content-Transfer-Encoding: 7bit", ".", "B ", "N A: b",
        "N Content-Transfer-Encoding: quoted-printable", "B ", "B =3D"}},
      {"other message",
       "Content-Type: message/partial\nContent-Transfer-Encoding: 8bit\n\n=\n",
       {"M Content-Type: message/partial", "P Content-Transfer-Encoding: 7bit", ".", "B ", "B =3D"}},
      {"global message",
       "Content-Type: message/global\nContent-Transfer-Encoding: 8bit\n\nA: =\n",
       {"M Content-Type: message/global", "P Content-Transfer-Encoding: quoted-printable", ".", "B ",
        "B A: =3D"}},
  };
  for (const auto& each : cases)
    EXPECT_EQ(mime_events(each.message, {.converts_8bit = true}), each.events) << each.name;
}

TEST(MimeParser, TakesLinesInPieces) {
  EventRecorder recorder;
  MimeParser parser(recorder, {.converts_8bit = true});
  parser.feed_piece("Content-Transfer-Encoding:", false);
  parser.feed_piece(" 8bit", true);
  parser.feed_piece("", true);
  parser.feed_piece("a ", false);
  parser.feed_piece("", true);
  parser.feed_piece("b ", false);
  parser.feed_piece("=", false);
  parser.finish();
  EXPECT_EQ(recorder.events,
            (Events{"P Content-Transfer-Encoding: quoted-printable", ".", "B ", "B a=20", "B b =3D"}));
}

}  // namespace
}  // namespace mta
