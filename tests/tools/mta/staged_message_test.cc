// A message while filters change it: headers, body, what goes to the disk meanwhile.
#include "tools/mta/content/staged_message.h"

#include <gtest/gtest.h>

#include "tests/tools/mta/queue_samples.h"
#include "tests/tools/mta/queue_scratch.h"

namespace mta {
namespace {

using Strings = std::vector<std::string>;

class StagedMessageTest : public testing::Test {
 protected:
  QueueScratch scratch_;
  QueueDirectory queue_{{.path = scratch_.path()}};
};

TEST_F(StagedMessageTest, HidesTheServersOwnHeader) {
  StagedMessage message(queue_);
  for (const char* header : {"X-P: p", "Received: ours", "received: theirs", "no header", "Subject: s"})
    message.header(header);
  EXPECT_EQ(message.visible_headers(), (Strings{"X-P: p", "received: theirs", "Subject: s"}));
  message.change_header(1, "Received", "Received: new");
  EXPECT_EQ(message.visible_headers(), (Strings{"X-P: p", "Received: new", "Subject: s"}));
  message.delete_header(2, "Received");
  message.delete_header(1, "Received");
  EXPECT_EQ(message.visible_headers(), (Strings{"X-P: p", "Subject: s"}));
}

TEST_F(StagedMessageTest, CountsHeadersOfAName) {
  StagedMessage message(queue_);
  for (const char* header : {"A: 1", "B: 1", "a: 2"}) message.header(header);
  message.change_header(2, "A", "A: two");
  message.change_header(3, "A", "A: three");
  message.insert_header(1, "C: 1");
  message.insert_header(99, "D: 1");
  EXPECT_EQ(message.visible_headers(), (Strings{"A: 1", "C: 1", "B: 1", "A: two", "A: three", "D: 1"}));
}

TEST_F(StagedMessageTest, ALongBodyStaysWhole) {
  StagedMessage message(queue_);
  std::string body;
  for (int line = 0; body.size() < 3 * SpillBuffer::kMemory; ++line) body += std::to_string(line) + "\n";
  message.body("\n");
  for (std::size_t start = 0; start < body.size(); start += 1000) message.body(body.substr(start, 1000));
  std::string read;
  for (;;) {
    const auto portion = message.read_body(read.size(), 50'000);
    ASSERT_TRUE(portion);
    if (portion->empty()) break;
    read += *portion;
  }
  EXPECT_TRUE(read == body);
  EXPECT_EQ(scratch_.files(), Strings{}) << "what is kept has no name";
  message.clear_body();
  EXPECT_EQ(message.read_body(0, 100).value(), "");
  EXPECT_TRUE(message.has_body());
}

TEST_F(StagedMessageTest, ABodyThatCannotBeKeptIsAnError) {
  const QueueDirectory nowhere({.path = scratch_.path() + "/not-there"});
  StagedMessage message(nowhere);
  message.body(std::string(2 * SpillBuffer::kMemory, 'x'));
  message.body(std::string(2 * SpillBuffer::kMemory, 'y'));
  EXPECT_FALSE(message.read_body(0, 10));
}

TEST(HeaderFromFilter, StaysOneHeader) {
  EXPECT_EQ(header_from_filter("A", " b"), "A: b");
  EXPECT_EQ(header_from_filter("A", " b\n c\nd\r\n\te"), "A: b\n c\n\td\n\te");
  EXPECT_EQ(header_from_filter("A", " b\n"), "A: b\n\t");
}

}  // namespace
}  // namespace mta
