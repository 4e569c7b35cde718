#include "tools/mta/submission/submission_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mta {
namespace {

using libconf::ErrorKind;
using libconf::Result;

constexpr std::size_t kLineLength = 32;

/// Writes down what it is told.
class Recorder final : public SubmissionSink {
 public:
  Result<void> envelope(SubmissionEnvelope envelope) override {
    got = std::move(envelope);
    return {};
  }
  Result<void> line(std::string_view text, bool is_continued) override {
    content += text;
    content += is_continued ? "|" : "\n";
    return {};
  }
  Result<void> recipient(QueueRecipient recipient) override {
    late.push_back(std::move(recipient));
    return {};
  }
  SubmissionEnvelope got;
  std::string content;
  std::vector<QueueRecipient> late;
};

std::string bytes(const std::vector<std::pair<RecordType, std::string>>& records) {
  std::string text;
  for (const auto& [type, payload] : records) append_record(text, type, payload);
  return text;
}

Result<void> read(std::string_view text, Recorder& recorder, std::size_t portion) {
  SubmissionReader reader(kLineLength, recorder);
  for (; !text.empty(); text.remove_prefix(std::min(portion, text.size())))
    if (Result<void> fed = reader.feed(text.substr(0, portion)); !fed) return fed;
  return reader.finish();
}

const std::vector<std::pair<RecordType, std::string>> kMessage = {
    {RecordType::kTime, "1795915176 12"},
    {RecordType::kAttribute, "envelope_id=x"},
    {RecordType::kAttribute, "ret_flags=2"},
    {RecordType::kAttribute, "rewrite_context=remote"},
    {RecordType::kFullName, "Ann"},
    {RecordType::kSender, "ann"},
    {RecordType::kAttribute, "encoding=8bit"},
    {RecordType::kAttribute, "trace_flags=512"},
    {RecordType::kVerp, "+="},
    {RecordType::kAttribute, "notify_flags=6"},
    {RecordType::kAttribute, "client_name=x"},
    {RecordType::kRecipient, "bob"},
    {RecordType::kRecipient, "carl"},
    {RecordType::kContent, ""},
    {RecordType::kLine, "Subject: x"},
    {RecordType::kPartialLine, "a"},
    {RecordType::kLine, "b"},
    {RecordType::kExtracted, ""},
    {RecordType::kAttribute, "notify_flags=1"},
    {RecordType::kRecipient, "dave"},
    {RecordType::kEnd, ""}};

TEST(SubmissionReader, TellsAllThatAMessageSaysHoweverItIsDivided) {
  for (const std::size_t portion : {std::size_t{1}, std::size_t{7}, std::size_t{4096}}) {
    SCOPED_TRACE(portion);
    Recorder recorder;
    const Result<void> done = read(bytes(kMessage), recorder, portion);
    ASSERT_TRUE(done) << done.error().message;
    const SubmissionEnvelope& envelope = recorder.got;
    EXPECT_EQ(envelope.arrival, QueueTime(std::chrono::seconds(1795915176) + std::chrono::microseconds(12)));
    EXPECT_EQ(envelope.envelope_id, "x");
    EXPECT_EQ(envelope.return_flags, kReturnHeaders);
    EXPECT_EQ(envelope.rewrite_context, "remote");
    EXPECT_EQ(envelope.full_name, "Ann");
    EXPECT_EQ(envelope.sender, "ann");
    EXPECT_EQ(envelope.encoding, "8bit");
    EXPECT_EQ(envelope.trace_flags, 512);
    EXPECT_EQ(envelope.verp_delimiters, "+=");
    const std::vector<QueueRecipient> recipients = {{.address = "bob", .notify = 6}, {.address = "carl"}};
    EXPECT_EQ(envelope.recipients, recipients);
    EXPECT_EQ(recorder.content, "Subject: x\na|b\n");
    const std::vector<QueueRecipient> late = {{.address = "dave", .notify = kNotifyNever}};
    EXPECT_EQ(recorder.late, late);
  }
}

TEST(SubmissionReader, RefusesWhatMakesNoSense) {
  const struct {
    const char* name;
    std::vector<std::pair<RecordType, std::string>> records;
    const char* reason;
  } cases[] = {
      {"nothing", {}, "unexpected end of file"},
      {"no end",
       {{RecordType::kSender, ""}, {RecordType::kContent, ""}, {RecordType::kExtracted, ""}},
       "unexpected end of file"},
      {"content in the envelope", {{RecordType::kLine, "x"}}, "unexpected or malformed record type 78"},
      {"a pointer",
       {{RecordType::kSender, ""}, {RecordType::kPointer, "0"}},
       "unexpected or malformed record type 112"},
      {"a size", {{RecordType::kSize, "1"}}, "unexpected or malformed record type 67"},
      {"no sender", {{RecordType::kRecipient, "bob"}, {RecordType::kContent, ""}}, "no envelope sender"},
      {"two senders",
       {{RecordType::kSender, "a"}, {RecordType::kSender, "b"}},
       "multiple envelope sender records"},
      {"a time that is none", {{RecordType::kTime, "x"}}, "malformed arrival time"},
      {"flags that are none",
       {{RecordType::kAttribute, "trace_flags=x"}},
       "bad TFLAG record <trace_flags=x>"},
      {"RET that is none", {{RecordType::kAttribute, "ret_flags=9"}}, "bad DSN RET record <ret_flags=9>"},
      {"a long record",
       {{RecordType::kSender, std::string(kLineLength + 1, 'x')}},
       "offset 0: record is longer than 32 bytes"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    Recorder recorder;
    const Result<void> done = read(bytes(each.records), recorder, 4096);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::kDataCorrupt);
    EXPECT_EQ(done.error().message, each.reason);
  }
}

TEST(SubmissionReader, PassesOverWhatIsBehindTheEnd) {
  Recorder recorder;
  EXPECT_TRUE(read(bytes(kMessage) + "junk", recorder, 4096));
}

TEST(SubmissionReader, TakesAMessageWhoseNotifyIsNone) {
  for (const char* const value : {"x", "-1", "16", "3", "99999999999"}) {
    SCOPED_TRACE(value);
    Recorder recorder;
    ASSERT_TRUE(read(bytes({{RecordType::kSender, "a"},
                            {RecordType::kNotify, value},
                            {RecordType::kRecipient, "b"},
                            {RecordType::kContent, ""},
                            {RecordType::kExtracted, ""},
                            {RecordType::kEnd, ""}}),
                     recorder, 4096));
    ASSERT_EQ(recorder.got.recipients.size(), 1U);
    EXPECT_EQ(recorder.got.recipients[0].notify, 0);
  }
}

TEST(SubmissionRules, TheTimeIsForFilesOnly) {
  SubmissionRules stream(SubmissionForm::kStream);
  EXPECT_FALSE(stream.take(RecordType::kTime));
  SubmissionRules file(SubmissionForm::kMaildrop);
  EXPECT_TRUE(file.take(RecordType::kTime));
}

TEST(SubmissionRules, NothingFollowsTheEnd) {
  SubmissionRules rules(SubmissionForm::kStream);
  for (const RecordType type :
       {RecordType::kSender, RecordType::kContent, RecordType::kExtracted, RecordType::kEnd})
    EXPECT_TRUE(rules.take(type));
  EXPECT_TRUE(rules.is_complete());
  EXPECT_TRUE(rules.has_sender());
  EXPECT_FALSE(rules.has_recipient());
  EXPECT_FALSE(rules.take(RecordType::kEnd));
}

TEST(SubmissionAttribute, IsTakenApart) {
  const struct {
    const char* text;
    std::optional<SubmissionAttribute> attribute;
    const char* value;
    const char* fault;
  } cases[] = {
      {"encoding=8bit", SubmissionAttribute::kEncoding, "8bit", ""},
      {" encoding = 7bit ", SubmissionAttribute::kEncoding, "7bit", ""},
      {"encoding=binary", {}, "binary", ""},
      {"Encoding=8bit", {}, "8bit", ""},
      {"rewrite_context=local", SubmissionAttribute::kRewriteContext, "local", ""},
      {"rewrite_context=", {}, "", ""},
      {"envelope_id=a=b", SubmissionAttribute::kEnvelopeId, "a=b", ""},
      {"client_name=x", {}, "x", ""},
      {"encoding", {}, "", "missing '=' after attribute name"},
      {"=x", {}, "", "missing attribute name"},
      {"", {}, "", "missing '=' after attribute name"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.text);
    const AttributeReading reading = read_submission_attribute(each.text);
    EXPECT_EQ(reading.attribute, each.attribute);
    EXPECT_EQ(reading.fault, each.fault);
    if (reading.fault.empty()) {
      EXPECT_EQ(reading.value, each.value);
    }
    if (reading.attribute) {
      EXPECT_NE(submission_attribute_name(*reading.attribute), "");
    }
  }
}

}  // namespace
}  // namespace mta
