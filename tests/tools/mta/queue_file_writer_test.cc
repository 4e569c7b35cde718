#include "tools/mta/queue/queue_file_writer.h"

#include <gtest/gtest.h>

#include "tests/tools/mta/queue_samples.h"

namespace mta {
namespace {

using libconf::Result;

constexpr QueueFileOptions kQueue{.form = QueueFileForm::kQueue, .line_length_limit = 2048};

/// The message in `bytes`, written again by a writer of our own. Expects that Postfix and we choose the same
/// records.
class Copy {
 public:
  explicit Copy(std::string_view bytes) : reader_(QueueFileReader::over(bytes)) {}

  std::string write(QueueFileForm form, std::string_view automatic_recipient, bool ends_line) {
    QueueFileWriter writer(output_, {.form = form, .line_length_limit = 2048});
    for (;;) {
      const RecordGroup group = reader_.group();
      const auto record = reader_.next();
      EXPECT_TRUE(record) << record.error().message;
      if (!record || !*record) break;
      const QueueRecord& r = **record;
      if (group == RecordGroup::kContent) {
        if (r.type == RecordType::kExtracted && !ends_line) is_line_open_ = true;
        content(writer, r);
      } else {
        around(writer, r, automatic_recipient);
      }
    }
    return output_.bytes;
  }

 private:
  /// Holds the newline of each line back, so that the last one can be left out.
  void content(QueueFileWriter& writer, const QueueRecord& record) {
    if (!is_line_open_) writer.body("\n");
    is_line_open_ = record.type != RecordType::kLine;
    if (record.type == RecordType::kExtracted) return writer.end_content();
    writer.body(record.payload);
  }

  void around(QueueFileWriter& writer, const QueueRecord& record, std::string_view automatic_recipient) {
    const auto value = [&](std::string_view name) { return std::string(record.payload.substr(name.size())); };
    if (record.type == RecordType::kSize) return;
    if (record.type == RecordType::kContent) return writer.begin_content();
    if (record.type == RecordType::kEnd) {
      EXPECT_TRUE(writer.finish());
    } else if (record.payload.starts_with("notify_flags=")) {
      recipient_.notify = std::stoi(value("notify_flags="));
    } else if (record.payload.starts_with("dsn_orig_rcpt=")) {
      recipient_.dsn_original = value("dsn_orig_rcpt=");
    } else if (record.type == RecordType::kOriginalRecipient) {
      recipient_.original = record.payload;
    } else if (record.type == RecordType::kRecipient) {
      recipient_.address = record.payload;
      if (record.payload == automatic_recipient) {
        writer.automatic_recipient(recipient_);
      } else {
        writer.recipient(recipient_);
      }
      recipient_ = {};
    } else {
      writer.put(record.type, record.payload);
    }
  }

  QueueFileReader reader_;
  StringOutput output_;
  QueueRecipient recipient_;
  bool is_line_open_ = true;
};

TEST(QueueFileWriter, WritesWhatPostfixWrites) {
  struct Case {
    const char* sample;
    QueueFileForm form;
    const char* automatic_recipient = "";
    bool ends_line = true;  ///< The message that Postfix was given did.
  };
  const Case cases[] = {{"received", QueueFileForm::kQueue},
                        {"dsn-and-long-lines", QueueFileForm::kQueue},
                        {"null-sender", QueueFileForm::kQueue},
                        {"filter-redirect-bcc", QueueFileForm::kQueue, "b@example.com"},
                        {"verp", QueueFileForm::kQueue, "", false},
                        {"maildrop-dsn", QueueFileForm::kMaildrop, "", false},
                        {"maildrop-extracted", QueueFileForm::kMaildrop}};
  for (const Case& c : cases) {
    const std::string bytes = queue_sample(c.sample);
    EXPECT_EQ(Copy(bytes).write(c.form, c.automatic_recipient, c.ends_line), bytes) << c.sample;
  }
}

TEST(QueueFileWriter, WritesTheArrivalTime) {
  StringOutput output;
  QueueFileWriter writer(output, {.form = QueueFileForm::kMaildrop, .line_length_limit = 2048});
  writer.arrival_time(QueueTime(std::chrono::microseconds(1795904290'004454)));
  writer.begin_content();
  writer.end_content();
  ASSERT_TRUE(writer.finish());
  EXPECT_EQ(output.bytes, std::string("T\x0f"
                                      "1795904290 4454M\0X\0E\0",
                                      23));
}

/// The records of a content, as "N5 L2048 N0".
std::string shape(const std::string& bytes) {
  QueueFileReader reader = QueueFileReader::over(bytes);
  std::string result;
  while (auto record = reader.next().value_or(std::nullopt)) {
    if (record->type != RecordType::kLine && record->type != RecordType::kPartialLine) continue;
    result += (result.empty() ? "" : " ") + std::string(1, static_cast<char>(record->type)) +
              std::to_string(record->payload.size());
  }
  return result;
}

// As Postfix cuts the same lines.
TEST(QueueFileWriter, CutsLongLines) {
  struct Case {
    std::size_t length;
    const char* as_header;
    const char* as_body;
  };
  const Case cases[] = {
      {0, "N0", "N0"},
      {2047, "N2047", "N2047"},
      {2048, "N2048", "L2048 N0"},
      {2049, "L2048 N1", "L2048 N1"},
      {4096, "L2048 N2048", "L2048 L2048 N0"},
      {5000, "L2048 L2048 N904", "L2048 L2048 N904"},
  };
  for (const Case& c : cases) {
    const std::string line(c.length, 'x');
    StringOutput header;
    QueueFileWriter header_writer(header, kQueue);
    header_writer.begin_content();
    header_writer.header(line);
    header_writer.end_content();
    ASSERT_TRUE(header_writer.finish());
    EXPECT_EQ(shape(header.bytes), c.as_header) << c.length;
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{1000}, std::size_t{2048}, c.length + 1}) {
      StringOutput body;
      QueueFileWriter body_writer(body, kQueue);
      body_writer.begin_content();
      const std::string text = line + '\n';
      for (std::size_t at = 0; at < text.size(); at += chunk)
        body_writer.body(std::string_view(text).substr(at, chunk));
      body_writer.end_content();
      ASSERT_TRUE(body_writer.finish());
      EXPECT_EQ(shape(body.bytes), c.as_body) << c.length << " in chunks of " << chunk;
    }
  }
}

TEST(QueueFileWriter, CutsEachLineOfAHeader) {
  StringOutput output;
  QueueFileWriter writer(output, {.form = QueueFileForm::kQueue, .line_length_limit = 10});
  writer.begin_content();
  writer.header("Subject: long\n folded\n\tagain and again");
  writer.end_content();
  ASSERT_TRUE(writer.finish());
  EXPECT_EQ(shape(output.bytes), "L10 N3 N7 L10 N6");
}

TEST(QueueFileWriter, EndsTheLastLine) {
  for (const auto& [form, expected] :
       {std::pair(QueueFileForm::kQueue, "N5 L4 N0"), {QueueFileForm::kMaildrop, "N5 L4"}}) {
    StringOutput output;
    QueueFileWriter writer(output, {.form = form, .line_length_limit = 2048});
    writer.begin_content();
    writer.body("first\nlast");
    writer.end_content();
    ASSERT_TRUE(writer.finish());
    EXPECT_EQ(shape(output.bytes), expected);
  }
}

TEST(QueueFileWriter, WritesLongMessagesInParts) {
  for (const int lines : {10, 100000}) {
    StringOutput output;
    QueueFileWriter writer(output, kQueue);
    writer.put(RecordType::kSender, "ann@example.org");
    writer.recipient({.address = "bob@example.com", .notify = kNotifyNever});
    writer.begin_content();
    std::string text;
    for (int i = 0; i < lines; ++i) text += "line " + std::to_string(i) + '\n';
    writer.body(text);
    writer.end_content();
    const Result<MessageSizes> sizes = writer.finish();
    ASSERT_TRUE(sizes) << sizes.error().message;
    EXPECT_EQ(output.writes == 1, lines == 10);
    QueueFileReader reader = QueueFileReader::over(output.bytes);
    const auto message = read_queue_message(reader);
    ASSERT_TRUE(message) << message.error().message;
    EXPECT_EQ(message->sizes, *sizes);
    EXPECT_EQ(sizes->content_offset, static_cast<std::int64_t>(message->content_offset));
    EXPECT_EQ(sizes->content_size, static_cast<std::int64_t>(text.size()) + lines);
    EXPECT_EQ(sizes->queue_manager_flags, 2);
    std::string content;
    ASSERT_TRUE(
        read_content(reader, message->content_offset, [&](std::string_view piece, bool) -> Result<void> {
          content += piece;
          content += '\n';
          return {};
        }));
    EXPECT_EQ(content, text);
  }
}

TEST(QueueFileWriter, ReportsAFullDisk) {
  for (const std::size_t capacity : {std::size_t{0}, std::size_t{100000}, std::size_t{200000}}) {
    StringOutput output;
    output.capacity = capacity;
    QueueFileWriter writer(output, kQueue);
    writer.begin_content();
    for (int i = 0; i < 20000; ++i) writer.body("a line of some length\n");
    EXPECT_NE(writer.error(), nullptr) << capacity;
    const int writes = output.writes;
    writer.end_content();
    const Result<MessageSizes> sizes = writer.finish();
    ASSERT_FALSE(sizes) << capacity;
    EXPECT_EQ(sizes.error().kind, libconf::ErrorKind::kTemporary);
    EXPECT_EQ(output.writes, writes) << "nothing is written after an error";
  }
}

}  // namespace
}  // namespace mta
