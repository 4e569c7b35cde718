#include "tools/mta/delivery/user_action_wire.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

TEST(UserActionWire, AHeaderIsTakenOffTheFront) {
  const std::string packet =
      encode(ActionHeader{.kind = ActionKind::kRun, .user = 1000, .group = 100, .root = 2}) + "rest";
  std::string_view rest = packet;
  const auto header = decode_header(rest);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->kind, ActionKind::kRun);
  EXPECT_EQ(header->user, 1000U);
  EXPECT_EQ(header->group, 100U);
  EXPECT_EQ(header->root, 2U);
  EXPECT_EQ(rest, "rest");
  rest = std::string_view(packet).substr(0, kActionHeaderSize - 1);
  EXPECT_FALSE(decode_header(rest));
}

TEST(UserActionWire, ADeliveryComesBack) {
  MailboxDelivery delivery{.path = "/home/ann/Mail",
                           .locks = {.methods = kLockFcntl | kLockDotFile, .attempts = 20}};
  delivery.copy = {.content_offset = 1ULL << 40, .head = "From x\n", .tail = "\n", .quotes_from = true};
  delivery.size_limit = 51200000;
  delivery.must_be_owned = false;
  const auto back = decode_delivery(encode(delivery));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->path, delivery.path);
  EXPECT_EQ(back->locks.methods, delivery.locks.methods);
  EXPECT_EQ(back->locks.attempts, 20U);
  EXPECT_EQ(back->copy.content_offset, 1ULL << 40);
  EXPECT_EQ(back->copy.head, "From x\n");
  EXPECT_TRUE(back->copy.quotes_from);
  EXPECT_FALSE(back->must_be_owned);
}

TEST(UserActionWire, ACommandComesBack) {
  CommandRun command{.program = "pipe", .arguments = {"/bin/cat", "", "a b"}, .environment = {"A=b"}};
  command.time_limit = 7;
  const auto back = decode_command(encode(command));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->arguments, command.arguments);
  EXPECT_EQ(back->environment, command.environment);
  EXPECT_EQ(back->time_limit, 7U);
}

TEST(UserActionWire, AnswersComeBack) {
  const auto fault =
      decode_result(encode(ActionResult{.fault = ActionFault{.code = "4.2.0", .reason = "x"}}));
  ASSERT_TRUE(fault && fault->fault);
  EXPECT_EQ(fault->fault->reason, "x");
  const auto done = decode_result(encode(ActionResult{.offset = 4711}));
  ASSERT_TRUE(done);
  EXPECT_FALSE(done->fault);
  EXPECT_EQ(done->offset, 4711U);
  CommandResult ended{.end = CommandResult::End::kExit, .number = 255, .output = "out"};
  const auto command = decode_command_result(encode(ended));
  ASSERT_TRUE(command);
  EXPECT_EQ(command->number, 255);
  EXPECT_EQ(command->output, "out");
  const auto text = decode_text(encode(FileText{.state = FileText::State::kText, .text = "a\0b"}));
  ASSERT_TRUE(text);
  EXPECT_EQ(text->state, FileText::State::kText);
}

TEST(UserActionWire, WhatIsShortOrLongIsNothing) {
  const std::string whole = encode(CommandRun{.program = "local", .arguments = {"/bin/cat"}});
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(decode_command(std::string_view(whole).substr(0, size))) << size;
  EXPECT_FALSE(decode_command(whole + "x"));
}

TEST(UserActionWire, LengthsAreNotBelieved) {
  // A list of four thousand million texts, in a packet that has none of them.
  const std::string program = encode_path("local");
  EXPECT_FALSE(decode_command(program + "\xff\xff\xff\xff"));
  EXPECT_FALSE(decode_path("\xff\xff\xff\xff"));
}

TEST(UserActionWire, NumbersThatMeanNothingAreRefused) {
  EXPECT_FALSE(decode_result(encode_path("") + "\2"));
  std::string text = encode(FileText{});
  text[0] = '\4';
  EXPECT_FALSE(decode_text(text));
}

}  // namespace
}  // namespace mta
