#include "tools/mta/queue/queue_message.h"

#include <algorithm>
#include <array>
#include <limits>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

Error corrupt(const QueueRecord& record, std::string_view what) {
  return {.kind = ErrorKind::kDataCorrupt,
          .message = "offset " + std::to_string(record.offset) + ": malformed " + std::string(what)};
}

constexpr std::array kSizeFields = {&MessageSizes::content_size,    &MessageSizes::content_offset,
                                    &MessageSizes::recipient_count, &MessageSizes::queue_manager_flags,
                                    &MessageSizes::content_length,  &MessageSizes::send_options};
constexpr std::size_t kOldestSizeFields = 3;
constexpr std::int64_t kMicrosecondsPerSecond = 1'000'000;

/// The next of the words of `text`, taken from it; empty at its end.
std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

/// A number that is an int; nothing for anything else.
std::optional<int> parse_flags(std::string_view text) {
  const std::optional<std::int64_t> value = parse_record_number(text);
  if (!value || *value < 0 || *value > std::numeric_limits<int>::max()) return std::nullopt;
  return static_cast<int>(*value);
}

/// Puts a message together, record by record.
class MessageBuilder {
 public:
  Result<void> add(const QueueRecord& record, RecordGroup group);
  QueueMessage finish() { return std::move(message_); }
  QueueMessage& message() { return message_; }

 private:
  Result<void> add_attribute(const QueueRecord& record);
  void end_recipient(const QueueRecord& record);
  static Result<void> set_flags(const QueueRecord& record, std::string_view text, std::string_view what,
                                int& flags);

  QueueMessage message_;
  QueueRecipient recipient_;  ///< What is known of the next one.
};

Result<void> MessageBuilder::set_flags(const QueueRecord& record, std::string_view text,
                                       std::string_view what, int& flags) {
  const std::optional<int> value = parse_flags(text);
  if (!value) return corrupt(record, what);
  flags = *value;
  return {};
}

/// The attributes that Postfix reads in two forms: as these, and as records of their own type.
Result<void> MessageBuilder::add_attribute(const QueueRecord& record) {
  const std::size_t equals = record.payload.find('=');
  if (equals == std::string_view::npos) return corrupt(record, "attribute");
  const std::string_view name = record.payload.substr(0, equals);
  const std::string_view value = record.payload.substr(equals + 1);
  if (name == "notify_flags") return set_flags(record, value, "notify_flags", recipient_.notify);
  if (name == "ret_flags") return set_flags(record, value, "ret_flags", message_.return_flags);
  if (name == "dsn_orig_rcpt") {
    recipient_.dsn_original = value;
  } else if (name == "envelope_id") {
    message_.envelope_id = value;
  } else {
    message_.attributes.emplace_back(name, value);
  }
  return {};
}

void MessageBuilder::end_recipient(const QueueRecord& record) {
  if (record.type != RecordType::kCancelled) {
    recipient_.address = record.payload;
    recipient_.offset = record.offset;
    recipient_.is_done = record.type == RecordType::kDone;
    message_.recipients.push_back(std::move(recipient_));
  }
  recipient_ = QueueRecipient();
}

Result<void> MessageBuilder::add(const QueueRecord& record, RecordGroup group) {
  switch (record.type) {
    case RecordType::kSize:
      message_.sizes = MessageSizes::from_payload(record.payload);
      if (!message_.sizes || record.offset != 0) return corrupt(record, "message size");
      return {};
    case RecordType::kTime:
      message_.arrival_time = parse_arrival_time(record.payload);
      if (!message_.arrival_time) return corrupt(record, "arrival time");
      return {};
    case RecordType::kSender:
      message_.sender = record.payload;
      return {};
    case RecordType::kFullName:
      message_.full_name = record.payload;
      return {};
    case RecordType::kFilter:
      if (group != RecordGroup::kContent) message_.filter = record.payload;
      return {};
    case RecordType::kRedirect:
      message_.redirect = record.payload;
      return {};
    case RecordType::kVerp:
      message_.verp_delimiters = record.payload;
      return {};
    case RecordType::kWarning:
      message_.warning_time = parse_record_number(record.payload);
      message_.warning_offset = record.offset;
      if (!message_.warning_time) return corrupt(record, "time of warning");
      return {};
    case RecordType::kAttribute:
      return add_attribute(record);
    case RecordType::kEnvelopeId:
      message_.envelope_id = record.payload;
      return {};
    case RecordType::kReturn:
      return set_flags(record, record.payload, "DSN return flags", message_.return_flags);
    case RecordType::kNotify:
      return set_flags(record, record.payload, "DSN notify flags", recipient_.notify);
    case RecordType::kDsnRecipient:
      recipient_.dsn_original = record.payload;
      return {};
    case RecordType::kOriginalRecipient:
      recipient_.original = record.payload;
      return {};
    case RecordType::kRecipient:
    case RecordType::kDone:
    case RecordType::kCancelled:
      end_recipient(record);
      return {};
    case RecordType::kContent:
      message_.content_offset = record.end;
      return {};
    default:
      return {};
  }
}

}  // namespace

std::string arrival_time_payload(QueueTime time) {
  const std::int64_t microseconds = time.time_since_epoch().count();
  return libconf::concat(std::to_string(microseconds / kMicrosecondsPerSecond), " ",
                         std::to_string(microseconds % kMicrosecondsPerSecond));
}

std::optional<QueueTime> parse_arrival_time(std::string_view payload) {
  const std::optional<std::int64_t> seconds = parse_record_number(take_word(payload));
  const std::string_view fraction = take_word(payload);
  const std::optional<std::int64_t> microseconds = fraction.empty() ? 0 : parse_record_number(fraction);
  constexpr std::int64_t kLatest = std::numeric_limits<std::int64_t>::max() / kMicrosecondsPerSecond - 1;
  if (!seconds || *seconds < 0 || *seconds > kLatest) return std::nullopt;
  if (!microseconds || *microseconds < 0 || *microseconds >= kMicrosecondsPerSecond) return std::nullopt;
  return QueueTime(std::chrono::seconds(*seconds) + std::chrono::microseconds(*microseconds));
}

std::string MessageSizes::to_payload() const {
  std::string payload;
  for (const auto field : kSizeFields) {
    if (!payload.empty()) payload += ' ';
    payload += fixed_width_number(this->*field);
  }
  return payload;
}

std::optional<MessageSizes> MessageSizes::from_payload(std::string_view payload) {
  MessageSizes sizes;
  std::size_t count = 0;
  for (; count < kSizeFields.size(); ++count) {
    const std::string_view word = take_word(payload);
    if (word.empty()) break;
    const std::optional<std::int64_t> value = parse_record_number(word);
    if (!value || *value < 0) return std::nullopt;
    sizes.*kSizeFields[count] = *value;
  }
  if (count < kOldestSizeFields || !take_word(payload).empty()) return std::nullopt;
  constexpr std::size_t kLengthField = 4;
  static_assert(kSizeFields[kLengthField] == &MessageSizes::content_length);
  if (count <= kLengthField) sizes.content_length = sizes.content_size;
  return sizes;
}

std::optional<std::string_view> QueueMessage::attribute(std::string_view name) const {
  const auto found = std::find_if(attributes.rbegin(), attributes.rend(),
                                  [&](const auto& attribute) { return attribute.first == name; });
  if (found == attributes.rend()) return std::nullopt;
  return found->second;
}

Result<QueueMessage> read_queue_message(QueueFileReader& reader) {
  reader.seek(0, RecordGroup::kEnvelope);
  MessageBuilder builder;
  for (;;) {
    const RecordGroup group = reader.group();
    const auto record = reader.next();
    if (!record) return record.error();
    if (!*record) return builder.finish();
    const Result<void> added = builder.add(**record, group);
    if (!added)
      return Error{.kind = added.error().kind, .message = reader.name() + ": " + added.error().message};
  }
}

namespace {

/// Goes behind the content, whose size the file tells. False: something else is there.
bool pass_over_content(QueueFileReader& reader, const std::optional<MessageSizes>& sizes) {
  if (!sizes) return false;
  const std::uint64_t start = reader.position();
  if (static_cast<std::uint64_t>(sizes->content_offset) == start) {
    reader.seek(start + static_cast<std::uint64_t>(sizes->content_size), RecordGroup::kContent);
    const auto record = reader.next();
    if (record && *record && (*record)->type == RecordType::kExtracted) return true;
  }
  reader.seek(start, RecordGroup::kContent);
  return false;
}

/// `unread`: so many wait; nothing: that is to be found out.
Result<QueueEnvelope> read_envelope_from(QueueFileReader& reader, const std::optional<MessageSizes>& sizes,
                                         std::size_t limit, std::optional<std::size_t> unread) {
  MessageBuilder builder;
  builder.message().sizes = sizes;
  QueueEnvelope envelope;
  std::vector<QueueRecipient>& recipients = builder.message().recipients;
  std::optional<RecordPlace> behind_last;
  for (;;) {
    const RecordGroup group = reader.group();
    const auto record = reader.next();
    if (!record) return record.error();
    if (!*record) break;
    const std::size_t before = recipients.size();
    const Result<void> added = builder.add(**record, group);
    if (!added)
      return Error{.kind = added.error().kind, .message = reader.name() + ": " + added.error().message};
    if ((*record)->type == RecordType::kContent) pass_over_content(reader, builder.message().sizes);
    if (recipients.size() == before) continue;
    if (recipients.back().is_done) {
      recipients.pop_back();
    } else if (recipients.size() > limit) {
      recipients.pop_back();
      envelope.rest = behind_last;
      ++envelope.unread;
    } else if (recipients.size() == limit) {
      behind_last = RecordPlace{reader.position(), reader.group()};
      if (unread && *unread > limit) {
        envelope.rest = behind_last;
        envelope.unread = *unread - limit;
        break;
      }
    }
  }
  envelope.message = builder.finish();
  return envelope;
}

}  // namespace

Result<QueueEnvelope> read_queue_envelope(QueueFileReader& reader, std::size_t limit) {
  reader.seek(0, RecordGroup::kEnvelope);
  return read_envelope_from(reader, {}, limit, {});
}

Result<QueueEnvelope> read_more_recipients(QueueFileReader& reader, const QueueMessage& message,
                                           RecordPlace place, std::size_t limit, std::size_t unread) {
  reader.seek(place.offset, place.group);
  return read_envelope_from(reader, message.sizes, limit, unread);
}

Result<void> read_content(QueueFileReader& reader, std::uint64_t offset,
                          const std::function<Result<void>(std::string_view text, bool ends_line)>& piece) {
  reader.seek(offset, RecordGroup::kContent);
  for (;;) {
    const auto record = reader.next();
    if (!record) return record.error();
    if (!*record || (*record)->type == RecordType::kExtracted) return {};
    Result<void> taken = piece((*record)->payload, (*record)->type == RecordType::kLine);
    if (!taken) return taken;
  }
}

}  // namespace mta
