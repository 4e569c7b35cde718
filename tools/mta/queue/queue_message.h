/// What a queue file says, beside the text of the message.
///
///     mta::QueueFileReader reader = mta::QueueFileReader::over(bytes);
///     auto message = mta::read_queue_message(reader);
///     if (!message) return message.error();        // damaged, or not complete
///     for (const mta::QueueRecipient& recipient : message->recipients) ...
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libconf/result.h"
#include "tools/mta/queue/queue_file_reader.h"
#include "tools/mta/queue/queue_id.h"
#include "tools/mta/queue/queue_record.h"

namespace mta {

/// NOTIFY of RFC 3461, an OR of these; 0 when the client did not ask.
enum NotifyFlag : int { kNotifyNever = 1, kNotifySuccess = 2, kNotifyFailure = 4, kNotifyDelay = 8 };

/// RET of RFC 3461; 0 when the client did not ask.
enum ReturnFlag : int { kReturnFull = 1, kReturnHeaders = 2 };

/// MessageSizes::send_options, an OR of these (SMTPUTF8_README).
enum SendOption : int {
  kUtf8Requested = 1,  ///< The client said SMTPUTF8.
  kUtf8InHeaders = 2,
  kUtf8InSender = 4,
};

/// The first record of a file in the queue, of a fixed width, which is written again when all is known.
struct MessageSizes {
  std::int64_t content_size = 0;         ///< Bytes of the records of the content as received.
  std::int64_t content_offset = 0;       ///< Where the first of them stands.
  std::int64_t recipient_count = 0;      ///< kRecipient records.
  std::int64_t queue_manager_flags = 0;  ///< Twice the OR of the NOTIFY flags of all recipients.
  std::int64_t content_length = 0;       ///< As content_size, but after the edits of milters.
  std::int64_t send_options = 0;         ///< An OR of SendOption.

  /// The payload of a kSize record.
  std::string to_payload() const;
  /// From a payload, which may lack the last three fields as older versions of Postfix wrote it; nothing for
  /// anything else.
  static std::optional<MessageSizes> from_payload(std::string_view payload);

  friend bool operator==(const MessageSizes&, const MessageSizes&) = default;
};

/// The attribute trace_flags, an OR of these: who submitted the message wants a report (sendmail(1)).
enum TraceFlag : int {
  kTraceProbe = 512,      ///< -bv: of what would become of the message, which is not delivered.
  kTraceDelivery = 1024,  ///< -v: of the first delivery.
};

/// A recipient and what the records before it say.
struct QueueRecipient {
  std::string address;
  std::string original = {};      ///< Before virtual aliases; empty when not known.
  std::string dsn_original = {};  ///< ORCPT of RFC 3461, "rfc822;ann@example.com"; empty when not known.
  int notify = 0;                 ///< An OR of NotifyFlag.
  std::uint64_t offset = 0;       ///< Of the kRecipient record, whose type becomes kDone in place.
  bool is_done = false;           ///< It has.

  friend bool operator==(const QueueRecipient&, const QueueRecipient&) = default;
};

/// A whole queue file but for its content. Where a record is repeated, the last one counts; attributes that
/// have no member of their own stand in `attributes`, in the order of the file.
struct QueueMessage {
  std::optional<MessageSizes> sizes;  ///< A file in maildrop/ has none.
  std::optional<QueueTime> arrival_time;
  std::optional<std::string> sender;  ///< Empty for the null sender.
  std::string full_name;
  std::string filter;    ///< content_filter or a FILTER action, "TRANSPORT:NEXTHOP".
  std::string redirect;  ///< A REDIRECT action.
  std::string verp_delimiters;
  std::string envelope_id;                   ///< ENVID of RFC 3461.
  int return_flags = 0;                      ///< A ReturnFlag.
  std::optional<std::int64_t> warning_time;  ///< Of the next "delayed" warning, seconds since 1970.
  std::uint64_t warning_offset = 0;          ///< Of its record, which is cleared in place.
  std::vector<std::pair<std::string, std::string>> attributes;
  std::vector<QueueRecipient> recipients;  ///< Those dealt with, too; not those that a milter took back.
  std::uint64_t content_offset = 0;        ///< For read_content().

  /// The last value of the attribute, or nothing.
  std::optional<std::string_view> attribute(std::string_view name) const;
};

/// The payload of a kTime record.
std::string arrival_time_payload(QueueTime time);

/// The time in a kTime record; nothing, for what is none.
std::optional<QueueTime> parse_arrival_time(std::string_view payload);

/// Reads a file from its start to its end. Errors: as QueueFileReader::next(), and kDataCorrupt for a record
/// that makes no sense.
libconf::Result<QueueMessage> read_queue_message(QueueFileReader& reader);

/// Where recipients are that have not been read yet.
struct RecordPlace {
  std::uint64_t offset;
  RecordGroup group;
};

/// What the queue manager reads of a file, which may have more recipients than should be in memory.
struct QueueEnvelope {
  QueueMessage message;                  ///< Its recipients are some of those that wait.
  std::optional<RecordPlace> rest = {};  ///< Of those that wait, too; nothing: these are all.
  std::size_t unread = 0;                ///< How many these are.
};

/// As read_queue_message(), but for the content, which is passed over, recipients that have been dealt with,
/// and those beyond the first `limit`.
libconf::Result<QueueEnvelope> read_queue_envelope(QueueFileReader& reader, std::size_t limit);

/// The next recipients of `message` that wait; `unread` of them do, as the call before has told. The rest of
/// what it returns does not count. REQUIRES: `limit`, here and above, is not 0. Errors: as
/// read_queue_envelope().
libconf::Result<QueueEnvelope> read_more_recipients(QueueFileReader& reader, const QueueMessage& message,
                                                    RecordPlace place, std::size_t limit, std::size_t unread);

/// Calls `piece` for all of the content that starts at `offset`, in pieces of lines: `ends_line` says that a
/// newline follows. The text is valid during the call. Errors: as QueueFileReader::next(), and those of
/// `piece`, which end it.
libconf::Result<void> read_content(
    QueueFileReader& reader, std::uint64_t offset,
    const std::function<libconf::Result<void>(std::string_view text, bool ends_line)>& piece);

}  // namespace mta
