#include <sys/stat.h>

#include "tests/tools/deliver_as/message_file.h"
#include "tools/deliver_as/mailbox_file.h"
#include "tools/deliver_as/maildir.h"

namespace deliver_as {
namespace {

mta::MailboxDelivery delivery_to(const MessageFile& message, const std::string& name) {
  mta::MailboxDelivery delivery{.path = message.path(name)};
  delivery.copy = {.content_offset = message.content_offset(), .head = "Head: x\n"};
  return delivery;
}

TEST(MailboxFile, AMessageIsAppendedAndQuoted) {
  const MessageFile message({"From here", ".dot", "", "text"});
  message.write("mbox", "before\n");
  mta::MailboxDelivery delivery = delivery_to(message, "mbox");
  delivery.copy.quotes_from = delivery.copy.stuffs_dots = true;
  delivery.copy.tail = "\n";
  delivery.locks.methods = mta::kLockFcntl | mta::kLockFlock | mta::kLockDotFile;
  const mta::ActionResult done = append_to_file(delivery, message.get());
  EXPECT_FALSE(done.fault);
  EXPECT_EQ(done.offset, std::string("before\n").size());
  EXPECT_EQ(message.read("mbox"), "before\nHead: x\n>From here\n..dot\n\ntext\n\n");
  EXPECT_EQ(message.read("mbox.lock"), "(none)");
}

TEST(MailboxFile, WhatIsTooLongLeavesTheFileAsItWas) {
  const MessageFile message(std::vector<std::string>(3000, std::string(100, 'x')));
  message.write("mbox", "before\n");
  mta::MailboxDelivery delivery = delivery_to(message, "mbox");
  delivery.size_limit = 100'000;
  const mta::ActionResult done = append_to_file(delivery, message.get());
  ASSERT_TRUE(done.fault);
  EXPECT_EQ(done.fault->code, "5.2.2");
  EXPECT_EQ(done.fault->reason, "error writing message: File too large");
  EXPECT_EQ(message.read("mbox"), "before\n");
}

TEST(MailboxFile, ADamagedMessageLeavesTheFileAsItWas) {
  const MessageFile message({"text"});
  message.write("mbox", "before\n");
  mta::MailboxDelivery delivery = delivery_to(message, "mbox");
  delivery.copy.content_offset = 1;
  const mta::ActionResult done = append_to_file(delivery, message.get());
  ASSERT_TRUE(done.fault);
  EXPECT_TRUE(done.fault->code.starts_with("4")) << done.fault->code;
  EXPECT_EQ(message.read("mbox"), "before\n");
}

TEST(MailboxFile, ADeviceTakesMailWhereThatIsAllowed) {
  const MessageFile message({"text"});
  mta::MailboxDelivery delivery = delivery_to(message, "mbox");
  delivery.path = "/dev/null";
  delivery.locks.methods = mta::kLockFcntl | mta::kLockDotFile;
  const mta::ActionResult refused = append_to_file(delivery, message.get());
  EXPECT_TRUE(refused.fault);
  delivery.may_be_special = true;
  EXPECT_FALSE(append_to_file(delivery, message.get()).fault);
}

TEST(Maildir, DirectoriesAreMadeAndTheMessageIsNew) {
  const MessageFile message({"text"});
  EXPECT_FALSE(deliver_to_maildir(delivery_to(message, "a/b/"), message.get()).fault);
  EXPECT_EQ(message.count("a/b/new"), 1U);
  EXPECT_EQ(message.count("a/b/tmp"), 0U);
  EXPECT_EQ(message.count("a/b/cur"), 0U);
}

TEST(Maildir, WhatIsTooLongLeavesNothing) {
  const MessageFile message(std::vector<std::string>(3000, std::string(100, 'x')));
  mta::MailboxDelivery delivery = delivery_to(message, "box/");
  delivery.size_limit = 100'000;
  const mta::ActionResult done = deliver_to_maildir(delivery, message.get());
  ASSERT_TRUE(done.fault);
  EXPECT_EQ(done.fault->code, "5.2.2");
  EXPECT_EQ(message.count("box/new"), 0U);
  EXPECT_EQ(message.count("box/tmp"), 0U);
}

}  // namespace
}  // namespace deliver_as
