#include "tools/mta/submission/submission_reader.h"

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

Error corrupt(std::string message) {
  return {.kind = ErrorKind::kDataCorrupt, .message = std::move(message)};
}

/// A number from 0 to `highest`.
std::optional<int> parse_flags(std::string_view text, int highest) {
  const std::optional<std::int64_t> number = parse_record_number(text);
  if (!number || *number < 0 || *number > highest) return std::nullopt;
  return static_cast<int>(*number);
}

constexpr int kAnyReturn = kReturnFull | kReturnHeaders;
constexpr int kAnyNotify = kNotifyNever | kNotifySuccess | kNotifyFailure | kNotifyDelay;
constexpr int kHighestTrace = 0xFFFF;

}  // namespace

Result<void> SubmissionReader::feed(std::string_view bytes) {
  decoder_.feed(bytes);
  while (!rules_.is_complete()) {
    const Result<std::optional<QueueRecord>> record = decoder_.next();
    if (!record) return record.error();
    if (!*record) return {};
    if (Result<void> taken = take(**record); !taken) return taken;
  }
  return {};
}

Result<void> SubmissionReader::finish() const {
  if (rules_.is_complete()) return {};
  if (Result<void> whole = decoder_.finish(); !whole) return whole;
  return corrupt("unexpected end of file");
}

Result<void> SubmissionReader::take(const QueueRecord& record) {
  if (!rules_.take(record.type))
    return corrupt(concat("unexpected or malformed record type ",
                          std::to_string(static_cast<unsigned char>(record.type))));
  switch (record.type) {
    case RecordType::kTime:
      envelope_.arrival = parse_arrival_time(record.payload);
      if (!envelope_.arrival) return corrupt("malformed arrival time");
      return {};
    case RecordType::kFullName:
      envelope_.full_name = record.payload;
      return {};
    case RecordType::kSender:
      if (envelope_.sender) return corrupt("multiple envelope sender records");
      envelope_.sender = record.payload;
      return {};
    case RecordType::kVerp:
      if (record.payload.size() == 2) envelope_.verp_delimiters = record.payload;
      return {};
    case RecordType::kEnvelopeId:
      envelope_.envelope_id = record.payload;
      return {};
    case RecordType::kAttribute:
      return take_attribute(record.payload);
    case RecordType::kNotify:
      set_notify(record.payload);
      return {};
    case RecordType::kRecipient:
      return end_recipient(record.payload);
    case RecordType::kContent:
      if (!envelope_.sender) return corrupt("no envelope sender");
      return sink_.envelope(std::move(envelope_));
    case RecordType::kLine:
      return sink_.line(record.payload, false);
    case RecordType::kPartialLine:
      return sink_.line(record.payload, true);
    default:
      return {};
  }
}

/// What the sender asks for is nothing to lose his message for.
void SubmissionReader::set_notify(std::string_view value) {
  const std::optional<int> flags = parse_flags(value, kAnyNotify);
  if (flags && ((*flags & kNotifyNever) == 0 || *flags == kNotifyNever)) recipient_.notify = *flags;
}

Result<void> SubmissionReader::take_attribute(std::string_view payload) {
  const AttributeReading reading = read_submission_attribute(payload);
  if (!reading.attribute) return {};
  switch (*reading.attribute) {
    case SubmissionAttribute::kCreateTime:
      return {};
    case SubmissionAttribute::kDsnRecipient:
      recipient_.dsn_original = reading.value;
      return {};
    case SubmissionAttribute::kEncoding:
      envelope_.encoding = reading.value;
      return {};
    case SubmissionAttribute::kEnvelopeId:
      envelope_.envelope_id = reading.value;
      return {};
    case SubmissionAttribute::kNotify:
      set_notify(reading.value);
      return {};
    case SubmissionAttribute::kReturn: {
      const std::optional<int> flags = parse_flags(reading.value, kAnyReturn);
      if (!flags) return corrupt(concat("bad DSN RET record <", payload, ">"));
      envelope_.return_flags = *flags;
      return {};
    }
    case SubmissionAttribute::kRewriteContext:
      envelope_.rewrite_context = reading.value;
      return {};
    case SubmissionAttribute::kTrace:
      envelope_.trace_flags = parse_flags(reading.value, kHighestTrace);
      if (!envelope_.trace_flags) return corrupt(concat("bad TFLAG record <", payload, ">"));
      return {};
  }
  return {};
}

Result<void> SubmissionReader::end_recipient(std::string_view address) {
  QueueRecipient recipient = std::exchange(recipient_, {});
  recipient.address = address;
  if (rules_.group() == RecordGroup::kExtracted) return sink_.recipient(std::move(recipient));
  envelope_.recipients.push_back(std::move(recipient));
  return {};
}

}  // namespace mta
