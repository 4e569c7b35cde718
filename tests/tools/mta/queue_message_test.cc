// The files are those that genuine Postfix wrote; expected values are what its postcat prints of them, and
// what the messages and the edits of the milter were that it was given.
#include "tools/mta/queue/queue_message.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "libconf/handle.h"
#include "tests/tools/mta/queue_samples.h"

namespace mta {
namespace {

using libconf::ErrorKind;
using libconf::Result;

QueueMessage message_of(const std::string& sample) {
  const std::string bytes = queue_sample(sample);
  QueueFileReader reader = QueueFileReader::over(bytes);
  auto message = read_queue_message(reader);
  EXPECT_TRUE(message) << sample << ": " << message.error().message;
  return message ? *message : QueueMessage();
}

std::string content_of(const std::string& sample) {
  const std::string bytes = queue_sample(sample);
  QueueFileReader reader = QueueFileReader::over(bytes);
  std::string content;
  const auto read = read_content(reader, message_of(sample).content_offset,
                                 [&](std::string_view text, bool ends_line) -> Result<void> {
                                   content += text;
                                   if (ends_line) content += '\n';
                                   return {};
                                 });
  EXPECT_TRUE(read) << sample << ": " << read.error().message;
  return content;
}

TEST(QueueMessage, TellsWhatWasReceived) {
  const QueueMessage message = message_of("received");
  EXPECT_EQ(message.sizes, (MessageSizes{329, 675, 1, 0, 329, 0}));
  EXPECT_EQ(message.arrival_time, QueueTime(std::chrono::microseconds(1795904234'864287)));
  EXPECT_EQ(message.sender, "ann@example.org");
  EXPECT_EQ(message.content_offset, 675U);
  EXPECT_EQ(message.attribute("client_name"), "localhost");
  EXPECT_EQ(message.attribute("create_time"), "1795904235");
  EXPECT_EQ(message.attribute("log_ident"), "D73FF11006F");
  EXPECT_EQ(message.attribute("nonesuch"), std::nullopt);
  const QueueRecipient recipient{.address = "bob@example.com",
                                 .original = "bob@example.com",
                                 .dsn_original = "rfc822;bob@example.com",
                                 .offset = 656};
  EXPECT_EQ(message.recipients, std::vector{recipient});
}

TEST(QueueMessage, TellsDeliveryStatusOptions) {
  const QueueMessage message = message_of("dsn-and-long-lines");
  EXPECT_EQ(message.envelope_id, "abc+d");
  EXPECT_EQ(message.return_flags, kReturnHeaders);
  ASSERT_EQ(message.recipients.size(), 5U);
  EXPECT_EQ(message.recipients[0].notify, kNotifySuccess | kNotifyFailure);
  EXPECT_EQ(message.recipients[0].dsn_original, "rfc822;Bob+1@example.com");
  EXPECT_EQ(message.recipients[2].address, "carl@example.com");
  EXPECT_EQ(message.recipients[2].original, "ali@example.com");
  EXPECT_EQ(message.recipients[2].notify, kNotifyNever);
  EXPECT_EQ(message.recipients[3].notify, 0);
}

TEST(QueueMessage, TellsWhatElseAFileMaySay) {
  const QueueMessage null_sender = message_of("null-sender");
  EXPECT_EQ(null_sender.sender, "");

  const QueueMessage filter = message_of("filter-redirect-bcc");
  EXPECT_EQ(filter.filter, "smtp:other");
  EXPECT_EQ(filter.redirect, "r@example.com");
  EXPECT_EQ(filter.warning_time, 1795918771);
  EXPECT_EQ(filter.warning_offset, 629U);
  ASSERT_EQ(filter.recipients.size(), 2U);
  EXPECT_EQ(filter.recipients[1].address, "b@example.com");

  const QueueMessage verp = message_of("verp");
  EXPECT_EQ(verp.verp_delimiters, "+=");
  EXPECT_EQ(verp.full_name, "root");

  const QueueMessage done = message_of("dealt-with");
  ASSERT_EQ(done.recipients.size(), 1U);
  EXPECT_TRUE(done.recipients[0].is_done);

  const QueueMessage submitted = message_of("maildrop-dsn");
  EXPECT_FALSE(submitted.sizes);
  EXPECT_EQ(submitted.envelope_id, "abc");
  EXPECT_EQ(submitted.recipients.size(), 2U);
  EXPECT_EQ(message_of("maildrop-extracted").recipients.size(), 1U);
}

TEST(QueueMessage, ReadsOlderForms) {
  const QueueMessage message = message_of("old-records");
  EXPECT_EQ(message.sizes, (MessageSizes{5, 110, 1, 0, 5, 0}));
  EXPECT_EQ(message.arrival_time, QueueTime(std::chrono::seconds(1795904234)));
  EXPECT_EQ(message.envelope_id, "abc");
  EXPECT_EQ(message.return_flags, kReturnHeaders);
  ASSERT_EQ(message.recipients.size(), 1U);
  EXPECT_EQ(message.recipients[0].notify, kNotifySuccess | kNotifyFailure);
  EXPECT_EQ(message.recipients[0].dsn_original, "rfc822;b@example.org");
  EXPECT_EQ(message.recipients[0].original, "b@example.org");
}

TEST(QueueMessage, ReadsTheEditsOfMilters) {
  const std::string unedited = content_of("milter-none");
  EXPECT_TRUE(unedited.starts_with("Received: from client.example.net")) << unedited;
  EXPECT_TRUE(unedited.ends_with("\n\nhello\nworld\n")) << unedited;

  const std::string added = content_of("milter-add-header");
  EXPECT_TRUE(added.ends_with("From: ann@example.org\nX-A: " + std::string(60, 'v') + "\n\nhello\nworld\n"))
      << added;

  const std::string headers = content_of("milter-headers");
  EXPECT_TRUE(
      headers.starts_with("X-Ins: one\nReceived: from client.example.net (localhost [127.0.0.1])\n\tby mail"))
      << headers;
  EXPECT_NE(headers.find("Subject: longerlonger"), std::string::npos) << headers;
  EXPECT_EQ(headers.find("X-One"), std::string::npos) << headers;
  EXPECT_TRUE(headers.ends_with("\nX-Sh: s\n\nhello\nworld\n")) << headers;

  const std::string longer = content_of("milter-longer-body");
  EXPECT_TRUE(longer.ends_with("\n\n" + std::string(200, 'B') + "\nend\n")) << longer;
  const std::string shorter = content_of("milter-shorter-body");
  EXPECT_TRUE(shorter.ends_with("From: ann@example.org\n\nB\n")) << shorter;
  EXPECT_TRUE(content_of("milter-empty-body").ends_with("\nX-A: v\n"));

  EXPECT_EQ(message_of("milter-sender").sender, "changed@example.org");
  const QueueMessage recipients = message_of("milter-recipients");
  ASSERT_EQ(recipients.recipients.size(), 1U);
  EXPECT_EQ(recipients.recipients[0].address, "new@example.com");
  EXPECT_EQ(recipients.recipients[0].offset, 1121U);
}

TEST(QueueMessage, JoinsLongLines) {
  const std::string content = content_of("dsn-and-long-lines");
  for (const auto& [character, count] :
       {std::pair('x', 5000), {'y', 2048}, {'z', 2047}, {'w', 2049}, {'v', 4096}})
    EXPECT_NE(content.find('\n' + std::string(static_cast<std::size_t>(count), character) + '\n'),
              std::string::npos)
        << character;
  EXPECT_TRUE(content.ends_with(std::string("\n\n\0nul\n.dot\n", 12)));
}

TEST(QueueMessage, RefusesDamagedFiles) {
  const std::pair<const char*, const char*> cases[] = {
      {"truncated", "queue file: offset 675: unexpected end of file"},
      {"zeros", "queue file: offset 734: unknown record type 0"},
      {"pointer-circle", "queue file: offset 7: pointers lead in circles"},
      {"pointer-circle-of-two", "queue file: offset 7: pointers lead in circles"},
      {"pointer-behind-end", "queue file: offset 7: pointer behind the end"},
      {"pointer-malformed", "queue file: offset 7: malformed pointer"},
      {"no-content", "queue file: offset 7: misplaced record of type E"},
  };
  for (const auto& [sample, error] : cases) {
    const std::string bytes = queue_sample(sample);
    QueueFileReader reader = QueueFileReader::over(bytes);
    const auto message = read_queue_message(reader);
    ASSERT_FALSE(message) << sample;
    EXPECT_EQ(message.error().message, error) << sample;
    EXPECT_EQ(message.error().kind, ErrorKind::kDataCorrupt) << sample;
  }
}

TEST(QueueMessage, RefusesRecordsThatMakeNoSense) {
  struct Case {
    RecordType type;
    const char* payload;
    const char* what;
  };
  const Case cases[] = {
      {RecordType::kSize, "1 2 3", "message size"},  // Not in front.
      {RecordType::kTime, "now", "arrival time"},
      {RecordType::kTime, "1 1000000", "arrival time"},
      {RecordType::kTime, "-1", "arrival time"},
      {RecordType::kTime, "9223372036854775807", "arrival time"},
      {RecordType::kWarning, "", "time of warning"},
      {RecordType::kAttribute, "novalue", "attribute"},
      {RecordType::kAttribute, "notify_flags=x", "notify_flags"},
      {RecordType::kAttribute, "ret_flags=-1", "ret_flags"},
      {RecordType::kReturn, "4294967296", "DSN return flags"},
      {RecordType::kNotify, "", "DSN notify flags"},
  };
  for (const Case& c : cases) {
    std::string bytes;
    append_record(bytes, RecordType::kSender, "");
    append_record(bytes, c.type, c.payload);
    QueueFileReader reader = QueueFileReader::over(bytes);
    const auto message = read_queue_message(reader);
    ASSERT_FALSE(message) << c.payload;
    EXPECT_EQ(message.error().message, std::string("queue file: offset 2: malformed ") + c.what);
    EXPECT_EQ(message.error().kind, ErrorKind::kDataCorrupt) << c.payload;
  }
  for (const char* payload : {"", "1 2", "1 2 x", "1 2 3 4 5 6 7", "1 2 -3"})
    EXPECT_FALSE(MessageSizes::from_payload(payload)) << payload;
}

TEST(QueueMessage, FileAndMemoryGiveTheSame) {
  for (const char* sample :
       {"received", "dsn-and-long-lines", "milter-headers", "pointer-circle", "truncated"}) {
    const std::string path = POSTKIT_TEST_DATA "/../fuzz/corpus/queue_file/" + std::string(sample);
    const libconf::FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(fd);
    auto file = QueueFileReader::open(fd.get(), "queue file");
    ASSERT_TRUE(file) << file.error().message;
    const std::string bytes = queue_sample(sample);
    QueueFileReader memory = QueueFileReader::over(bytes);
    for (;;) {
      const auto one = file->next_with_pointers();
      const auto other = memory.next_with_pointers();
      ASSERT_EQ(one.has_value(), other.has_value()) << sample;
      if (!one) {
        EXPECT_EQ(one.error().message, other.error().message);
        break;
      }
      ASSERT_EQ(one->has_value(), other->has_value()) << sample;
      if (!*one) break;
      EXPECT_EQ((*one)->offset, (*other)->offset) << sample;
      EXPECT_EQ((*one)->payload, (*other)->payload) << sample;
    }
  }
}

TEST(QueueMessage, RefusesWhatIsNoFile) {
  const libconf::FileDescriptor fd(::open("/", O_RDONLY | O_CLOEXEC));
  const auto reader = QueueFileReader::open(fd.get(), "/");
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().message, "/: offset 0: not a regular file");
  EXPECT_FALSE(QueueFileReader::open(-1, "nothing"));
}

// The queue manager's way of reading: without the content, and a few recipients at a time.
TEST(QueueMessage, GivesItsRecipientsStepByStep) {
  for (const char* const sample :
       {"received", "dsn-and-long-lines", "dealt-with", "filter-redirect-bcc", "milter-recipients",
        "milter-longer-body", "milter-headers", "verp", "null-sender"}) {
    const QueueMessage whole = message_of(sample);
    std::vector<QueueRecipient> waiting;
    for (const QueueRecipient& each : whole.recipients)
      if (!each.is_done) waiting.push_back(each);
    const std::string bytes = queue_sample(sample);
    for (const std::size_t limit : {1, 2, 100}) {
      QueueFileReader reader = QueueFileReader::over(bytes);
      auto envelope = read_queue_envelope(reader, limit);
      ASSERT_TRUE(envelope) << sample << ": " << envelope.error().message;
      const QueueMessage first = envelope->message;
      EXPECT_EQ(first.sender, whole.sender) << sample;
      EXPECT_EQ(first.filter, whole.filter) << sample;
      EXPECT_EQ(first.redirect, whole.redirect) << sample;
      EXPECT_EQ(first.attributes, whole.attributes) << sample;
      EXPECT_EQ(first.verp_delimiters, whole.verp_delimiters) << sample;
      std::vector<QueueRecipient> got = first.recipients;
      while (envelope->rest) {
        EXPECT_EQ(envelope->message.recipients.size(), limit) << sample;
        EXPECT_EQ(envelope->unread, waiting.size() - got.size()) << sample;
        envelope = read_more_recipients(reader, first, *envelope->rest, limit, envelope->unread);
        ASSERT_TRUE(envelope) << sample << ": " << envelope.error().message;
        got.insert(got.end(), envelope->message.recipients.begin(), envelope->message.recipients.end());
      }
      EXPECT_EQ(got, waiting) << sample << ", " << limit << " at a time";
    }
  }
}

}  // namespace
}  // namespace mta
