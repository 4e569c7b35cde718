#include "tools/mta/delivery/server_reply.h"

#include <gtest/gtest.h>

#include <string>

namespace mta {
namespace {

TEST(ServerReply, CodeStatusAndText) {
  // Texts and statuses are those that smtp(8) logs for the same bytes.
  const struct {
    std::string name;
    std::string bytes;
    int code;
    std::string status;
    std::string text;
  } cases[] = {
      {"one line", "250 2.1.5 Ok\r\n", 250, "2.1.5", "250 2.1.5 Ok"},
      {"no status", "251 will forward\r\n", 251, "2.0.0", "251 will forward"},
      {"a status of another class", "550 4.1.1 no\r\n", 550, "5.0.0", "550 4.1.1 no"},
      {"several lines", "550-5.1.1 no\r\n550-5.1.1  such\r\n550 5.1.1 user\r\n", 550, "5.1.1",
       "550-5.1.1 no 550-5.1.1  such 550 5.1.1 user"},
      {"bare newlines", "550-5.1.1 a\n550 5.1.1 b\n", 550, "5.1.1", "550-5.1.1 a 550 5.1.1 b"},
      {"not printable",
       "550 5.1.1 a\tb\x01"
       "c\xff(d) \r\n",
       550, "5.1.1", "550 5.1.1 a?b?c?(d) "},
      {"temporary", "421 no\r\n", 421, "4.0.0", "421 no"},
      {"only a code", "250\r\n", 250, "2.0.0", "250"},
      {"go on", "354 go on\r\n", 354, "2.0.0", "354 go on"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    ServerReplyReader reader;
    const auto reply = reader.read(each.bytes);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->code, each.code);
    EXPECT_EQ(reply->status, each.status);
    EXPECT_EQ(reply->text, each.text);
  }
}

TEST(ServerReply, WhatFollowsTheCodes) {
  ServerReplyReader reader;
  const auto reply = reader.read("250-mx.example\r\n250-SIZE 1000\r\n250 DSN\r\n");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->lines, (std::vector<std::string>{"mx.example", "SIZE 1000", "DSN"}));
}

TEST(ServerReply, LinesThatAreNoneOfAReplyArePassedOver) {
  ServerReplyReader reader;
  EXPECT_FALSE(reader.read("what?\r\n\r\n2 x\r\n250x y\r\n250\ty\r\n"));
  const auto reply = reader.read("250 Ok\r\n");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->code, 250);
  EXPECT_EQ(reply->text, "what?  2 x 250x y 250?y 250 Ok");
  EXPECT_EQ(reply->lines, std::vector<std::string>{"Ok"});
}

TEST(ServerReply, ACodeMayBeAnyNumber) {
  ServerReplyReader reader;
  const auto reply = reader.read("099 x\r\n");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->code, 99);
  EXPECT_EQ(reply->status, "5.5.0");
}

/// Replaces lines that have a replacement, and fails at "fail".
class Lines final : public ReplyLineSink {
 public:
  libconf::Result<std::optional<std::string>> replacement(std::string_view line) override {
    if (line == "fail") return libconf::Error{.kind = libconf::ErrorKind::kTemporary, .message = "no"};
    if (line == "550 no") return std::optional<std::string>("450 later");
    return std::optional<std::string>();
  }
  void note_stray_line(std::string_view line) override { stray.emplace_back(line); }
  std::vector<std::string> stray;
};

TEST(ServerReply, LinesMayBeReplaced) {
  Lines lines;
  ServerReplyReader reader(&lines);
  const auto reply = reader.read("what?\r\n550 no\r\n");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->code, 450);
  EXPECT_EQ(reply->text, "what? 450 later");
  EXPECT_EQ(lines.stray, std::vector<std::string>{"what?"});
  EXPECT_FALSE(reader.has_failed());
  EXPECT_FALSE(reader.read("fail\r\n250 Ok\r\n"));
  EXPECT_TRUE(reader.has_failed());
  EXPECT_FALSE(reader.read(""));
}

// As Postfix 3.7 has it.
TEST(ServerReply, ANulEndsALine) {
  ServerReplyReader reader;
  EXPECT_EQ(reader.read(std::string_view("503 a\0b\r\n", 9))->text, "503 a");
}

// Of these codes of refusals, Postfix 3.7 sent the postmaster a transcript.
TEST(ServerReply, SomeRefusalsAreErrorsOfTheProtocol) {
  for (const int code : {250, 300, 354, 399, 500, 501, 504, 505, 509, 555, 600, 999})
    EXPECT_TRUE(ServerReply{.code = code}.is_protocol_error()) << code;
  for (const int code : {400, 421, 499, 510, 511, 530, 550, 552, 554, 559, 599})
    EXPECT_FALSE(ServerReply{.code = code}.is_protocol_error()) << code;
}

TEST(ServerReply, PortionsMakeNoDifference) {
  const std::string bytes = "250-a\r\n250 b\r\n354 c\r\n";
  ServerReplyReader reader;
  std::vector<std::string> texts;
  for (const char c : bytes)
    if (const auto reply = reader.read({&c, 1})) texts.push_back(reply->text);
  EXPECT_EQ(texts, (std::vector<std::string>{"250-a 250 b", "354 c"}));
}

TEST(ServerReply, PipelinedRepliesComeOneByOne) {
  ServerReplyReader reader;
  EXPECT_EQ(reader.read("250 a\r\n550 b\r\n22")->text, "250 a");
  EXPECT_EQ(reader.read("")->text, "550 b");
  EXPECT_FALSE(reader.read(""));
  EXPECT_EQ(reader.read("1 c\r\n")->text, "221 c");
}

TEST(ServerReply, KeepsNoMoreThanAReplyNeeds) {
  ServerReplyReader reader;
  for (int i = 0; i < 10'000; ++i) EXPECT_FALSE(reader.read("250-" + std::string(100, 'x') + "\r\n"));
  const auto reply = reader.read("250 " + std::string(100'000, 'y') + "\r\n");
  ASSERT_TRUE(reply);
  EXPECT_LT(reply->text.size(), 70'000U);
}

}  // namespace
}  // namespace mta
