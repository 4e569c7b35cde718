#include "tools/mta/delivery/message_head.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <fstream>

#include "libconf/handle.h"
#include "tests/libconf/temp_directory.h"
#include "tools/mta/queue/queue_record.h"

namespace mta {
namespace {

class MessageHeadTest : public testing::Test {
 protected:
  libconf::Result<MessageStart> read(const std::vector<std::string>& lines, bool is_whole = true) {
    std::string bytes;
    append_record(bytes, RecordType::kSender, "ann@example.org");
    append_record(bytes, RecordType::kRecipient, "bob@example.org");
    if (is_whole) append_record(bytes, RecordType::kContent, "");
    offset_ = bytes.size();
    for (const std::string& line : lines) append_record(bytes, RecordType::kLine, line);
    if (is_whole) append_record(bytes, RecordType::kExtracted, "");
    append_record(bytes, RecordType::kEnd, "");
    const std::string path = directory_.path("file");
    std::ofstream(path) << bytes;
    file_ = libconf::FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    return read_message_start(file_.get(), "4A1B2C");
  }

  postkit_test::TempDirectory directory_;
  libconf::FileDescriptor file_;
  std::uint64_t offset_ = 0;
};

TEST_F(MessageHeadTest, WhereItWasIsInItsHeaders) {
  const auto start = read({"Subject: x", "delivered-TO:  Bob@Example.org ",
                           "Delivered-To: \"a b\"@example.org", "", "Delivered-To: carl@example.org"});
  ASSERT_TRUE(start) << start.error().message;
  EXPECT_EQ(start->content_offset, offset_);
  EXPECT_TRUE(start->was_delivered_to("bob@example.ORG"));
  EXPECT_TRUE(start->was_delivered_to("a b@example.org"));
  EXPECT_FALSE(start->was_delivered_to("carl@example.org"));
}

TEST_F(MessageHeadTest, WhatIsNoHeaderEndsThem) {
  const auto start = read({"no header", "Delivered-To: bob@example.org"});
  ASSERT_TRUE(start);
  EXPECT_FALSE(start->was_delivered_to("bob@example.org"));
}

TEST_F(MessageHeadTest, AFileWithoutAMessageIsAnError) { EXPECT_FALSE(read({}, false)); }

TEST(MessageHead, LinesStayLines) {
  EXPECT_EQ(return_path("x\ny@example.org"), "Return-Path: <x?y@example.org>\n");
  EXPECT_EQ(delivered_to("a b@example.org"), "Delivered-To: \"a b\"@example.org\n");
  EXPECT_EQ(original_to(""), "");
  EXPECT_EQ(mailbox_separator("", 0).substr(0, 26), "From MAILER-DAEMON  Thu Ja");
  EXPECT_EQ(mailbox_separator("ann@example.org", 0).substr(0, 28), "From ann@example.org  Thu Ja");
}

}  // namespace
}  // namespace mta
