#include "tools/mta/queue/queue_record.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>

namespace mta {
namespace {

constexpr auto kEnvelope = static_cast<unsigned>(RecordGroup::kEnvelope);
constexpr auto kContent = static_cast<unsigned>(RecordGroup::kContent);
constexpr auto kExtracted = static_cast<unsigned>(RecordGroup::kExtracted);
constexpr unsigned kAround = kEnvelope | kExtracted;
constexpr unsigned kEverywhere = kAround | kContent;

/// In the order of the byte.
constexpr std::array kTypes = {
    RecordTypeInfo{RecordType::kCancelled, "cancelled recipient", kAround},
    RecordTypeInfo{RecordType::kReturn, "DSN return flags", kAround},
    RecordTypeInfo{RecordType::kRedirect, "redirect target", kAround},
    RecordTypeInfo{RecordType::kAttribute, "attribute", kAround},
    RecordTypeInfo{RecordType::kSize, "message size", kEnvelope},
    RecordTypeInfo{RecordType::kDone, "recipient dealt with", kAround},
    RecordTypeInfo{RecordType::kEnd, "end of file", kExtracted},
    RecordTypeInfo{RecordType::kFullName, "full name", kAround},
    RecordTypeInfo{RecordType::kInspector, "inspector", kAround},
    RecordTypeInfo{RecordType::kKilled, "killed record", kEverywhere},
    RecordTypeInfo{RecordType::kFilter, "content filter, or piece of a line", kEverywhere},
    RecordTypeInfo{RecordType::kContent, "start of content", kEnvelope},
    RecordTypeInfo{RecordType::kLine, "line", kContent},
    RecordTypeInfo{RecordType::kOriginalRecipient, "original recipient", kAround},
    RecordTypeInfo{RecordType::kPrecedence, "precedence", kAround},
    RecordTypeInfo{RecordType::kRecipient, "recipient", kAround},
    RecordTypeInfo{RecordType::kSender, "sender", kAround},
    RecordTypeInfo{RecordType::kTime, "arrival time", kAround},
    RecordTypeInfo{RecordType::kVerp, "VERP delimiters", kAround},
    RecordTypeInfo{RecordType::kWarning, "time of warning", kAround},
    RecordTypeInfo{RecordType::kExtracted, "end of content", kContent},
    RecordTypeInfo{RecordType::kCreateTime, "creation time", kAround},
    RecordTypeInfo{RecordType::kErrorsTo, "Errors-To", kAround},
    RecordTypeInfo{RecordType::kFlags, "flags", kAround},
    RecordTypeInfo{RecordType::kEnvelopeId, "DSN envelope id", kAround},
    RecordTypeInfo{RecordType::kMilterCount, "number of milters", kAround},
    RecordTypeInfo{RecordType::kNotify, "DSN notify flags", kAround},
    RecordTypeInfo{RecordType::kDsnRecipient, "DSN original recipient", kAround},
    RecordTypeInfo{RecordType::kPointer, "pointer", kEverywhere},
    RecordTypeInfo{RecordType::kReturnReceipt, "Return-Receipt-To", kAround},
    RecordTypeInfo{RecordType::kPadding, "padding", kEverywhere},
};

/// Each line of a message has a type: it is found by its byte.
constexpr auto kTypeOfByte = [] {
  std::array<const RecordTypeInfo*, 256> table{};
  for (const RecordTypeInfo& info : kTypes) table[static_cast<unsigned char>(info.type)] = &info;
  return table;
}();

libconf::Error corrupt(std::uint64_t offset, std::string_view reason) {
  return {.kind = libconf::ErrorKind::kDataCorrupt,
          .message = "offset " + std::to_string(offset) + ": " + std::string(reason)};
}

constexpr std::size_t kNumberWidth = 15;
constexpr unsigned kLengthBits = 7;
constexpr unsigned kMoreLength = 1U << kLengthBits;

}  // namespace

const RecordTypeInfo* find_record_type(char byte) { return kTypeOfByte[static_cast<unsigned char>(byte)]; }

void append_record(std::string& out, RecordType type, std::string_view payload) {
  assert(payload.size() <= kLongestPayload);
  out += static_cast<char>(type);
  std::size_t length = payload.size();
  for (; length >= kMoreLength; length >>= kLengthBits)
    out += static_cast<char>((length & (kMoreLength - 1)) | kMoreLength);
  out += static_cast<char>(length);
  out += payload;
}

std::string fixed_width_number(std::int64_t value) {
  const std::string digits = std::to_string(value);
  return std::string(kNumberWidth - std::min(kNumberWidth, digits.size()), ' ') + digits;
}

std::optional<std::int64_t> parse_record_number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

libconf::Result<std::optional<QueueRecord>> decode_record(std::string_view bytes, std::uint64_t offset,
                                                          std::size_t longest) {
  if (bytes.empty()) return std::nullopt;
  if (find_record_type(bytes.front()) == nullptr)
    return corrupt(offset,
                   "unknown record type " + std::to_string(static_cast<unsigned char>(bytes.front())));
  std::size_t position = 1;
  std::uint64_t length = 0;
  for (unsigned shift = 0;; shift += kLengthBits) {
    if (position == bytes.size()) return std::nullopt;
    const auto byte = static_cast<unsigned char>(bytes[position++]);
    length |= static_cast<std::uint64_t>(byte & (kMoreLength - 1)) << shift;
    if (length > longest)
      return corrupt(offset, "record is longer than " + std::to_string(longest) + " bytes");
    if ((byte & kMoreLength) == 0) break;
    // Zeros could go on for ever.
    if (shift + kLengthBits >= 32) return corrupt(offset, "malformed record length");
  }
  if (bytes.size() - position < length) return std::nullopt;
  return QueueRecord{.offset = offset,
                     .end = offset + position + length,
                     .type = static_cast<RecordType>(bytes.front()),
                     .payload = bytes.substr(position, length)};
}

void RecordDecoder::feed(std::string_view bytes) {
  buffer_.erase(0, consumed_);
  start_ += consumed_;
  consumed_ = 0;
  buffer_ += bytes;
}

libconf::Result<std::optional<QueueRecord>> RecordDecoder::next() {
  auto record = decode_record(std::string_view(buffer_).substr(consumed_), start_ + consumed_, longest_);
  if (record && *record) consumed_ = static_cast<std::size_t>((*record)->end - start_);
  return record;
}

libconf::Result<void> RecordDecoder::finish() const {
  if (consumed_ == buffer_.size()) return {};
  return corrupt(start_ + consumed_, "unexpected end of file within a record");
}

}  // namespace mta
