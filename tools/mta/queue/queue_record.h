/// The records that queue files are made of: a type byte, the length of the payload in base 128 (the least
/// significant group first, the high bit set in all bytes but the last), and the payload.
///
///     std::string bytes;
///     mta::append_record(bytes, mta::RecordType::kSender, "ann@example.org");
///
///     mta::RecordDecoder decoder;
///     decoder.feed(bytes);
///     auto record = decoder.next();       // error; nothing: feed more; or a record
///
/// Also what `sendmail` writes to `postdrop`. The form is Postfix's own; see postcat(1), which prints it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libconf/result.h"

namespace mta {

/// The byte that starts a record.
enum class RecordType : char {
  kSize = 'C',               ///< Six numbers, each in 15 characters: see MessageSizes. Updated in place.
  kTime = 'T',               ///< Arrival time: "SECONDS MICROSECONDS".
  kCreateTime = 'c',         ///< "SECONDS". Postfix 3.7 writes an attribute `create_time` instead.
  kFullName = 'F',           ///< Of the sender.
  kInspector = 'I',          ///< Transport of an inspector.
  kFilter = 'L',             ///< Content filter, "TRANSPORT:NEXTHOP"; within content: kPartialLine.
  kSender = 'S',             ///< Envelope sender, empty for the null sender.
  kAttribute = 'A',          ///< "NAME=VALUE".
  kEnvelopeId = 'i',         ///< ENVID of RFC 3461.
  kReturn = '<',             ///< RET of RFC 3461, as a number.
  kNotify = 'n',             ///< NOTIFY of RFC 3461 of the next recipient, as a number.
  kDsnRecipient = 'o',       ///< ORCPT of RFC 3461 of the next recipient, "rfc822;ADDRESS".
  kOriginalRecipient = 'O',  ///< The next recipient as it came, before virtual aliases.
  kRecipient = 'R',          ///< An address to deliver to.
  kDone = 'D',               ///< A kRecipient that has been dealt with: the type is overwritten in place.
  kCancelled = '/',          ///< A kRecipient that was taken back by a milter.
  kWarning = 'W',            ///< Time of the next "delayed" warning, in 15 characters.
  kVerp = 'V',               ///< Two delimiters.
  kFlags = 'f',              ///< Of cleanup(8), as a number.
  kKilled = 'K',             ///< Anything: to be passed over.
  kRedirect = '>',           ///< The address to deliver to instead of all recipients.
  kContent = 'M',            ///< Ends the envelope.
  kLine = 'N',               ///< A line of content, or the last piece of one, without its newline.
  kPadding = 'w',            ///< Anything: to be passed over.
  kPointer = 'p',            ///< The offset where to read on; 0: right behind this record.
  kExtracted = 'X',          ///< Ends the content.
  kReturnReceipt = 'r',      ///< Address of Return-Receipt-To:.
  kErrorsTo = 'e',           ///< Address of Errors-To:.
  kPrecedence = 'P',         ///< Value of Precedence:.
  kMilterCount = 'm',        ///< A number.
  kEnd = 'E',                ///< Ends the file.
  kPartialLine = kFilter,    ///< A piece of a line of content that goes on in the next record.
};

/// The three parts of a file.
enum class RecordGroup : unsigned char { kEnvelope = 1, kContent = 2, kExtracted = 4 };

/// What is known of a type.
struct RecordTypeInfo {
  RecordType type;
  std::string_view name;  ///< For people.
  unsigned groups;        ///< Where it may stand: an OR of RecordGroup values.

  constexpr bool is_allowed_in(RecordGroup group) const {
    return (groups & static_cast<unsigned>(group)) != 0;
  }
};

/// The type that `byte` stands for, or null.
const RecordTypeInfo* find_record_type(char byte);

/// A record where it was read. `payload` is valid as long as the decoder says.
struct QueueRecord {
  std::uint64_t offset;  ///< Of the type byte.
  std::uint64_t end;     ///< Behind the payload.
  RecordType type;
  std::string_view payload;
};

/// The longest payload that is believed, in bytes. Postfix writes pieces of line_length_limit; attributes can
/// be longer.
constexpr std::size_t kLongestPayload = std::size_t{16} << 20;

/// Adds a record to `out`. REQUIRES: `payload` is not longer than kLongestPayload.
void append_record(std::string& out, RecordType type, std::string_view payload);

/// A number as records that are updated in place have it: right-aligned in 15 characters.
std::string fixed_width_number(std::int64_t value);

/// The decimal number that is all of `text` but for blanks before it; nothing for other text, and out of
/// range.
std::optional<std::int64_t> parse_record_number(std::string_view text);

/// The record at the start of `bytes`, which stand at `offset` of their file; nothing when it is longer than
/// `bytes`. The payload is a view of `bytes`. Errors: kDataCorrupt, "offset N: REASON", for an unknown type
/// and a length over `longest`.
libconf::Result<std::optional<QueueRecord>> decode_record(std::string_view bytes, std::uint64_t offset,
                                                          std::size_t longest = kLongestPayload);

/// Takes a stream apart. Not thread-safe.
class RecordDecoder {
 public:
  /// Payloads longer than `longest` bytes are an error. Memory is bounded by that and what one feed() brings.
  explicit RecordDecoder(std::size_t longest = kLongestPayload) : longest_(longest) {}

  /// Takes the next bytes of the stream, divided in any way.
  void feed(std::string_view bytes);

  /// The next record, valid until the next call of feed(); nothing when it has not come whole yet. Errors: as
  /// decode_record(), and the same one again for ever after.
  libconf::Result<std::optional<QueueRecord>> next();

  /// The stream has ended. Errors: kDataCorrupt when it did so within a record.
  libconf::Result<void> finish() const;

 private:
  std::size_t longest_;
  std::string buffer_;
  std::size_t consumed_ = 0;  ///< Of buffer_.
  std::uint64_t start_ = 0;   ///< Where buffer_ stands in the stream.
};

}  // namespace mta
