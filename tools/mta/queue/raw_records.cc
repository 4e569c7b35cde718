#include "tools/mta/queue/raw_records.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "libconf/file.h"
#include "libconf/text.h"

namespace mta {
namespace {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

constexpr std::size_t kBlock = std::size_t{4} << 10;
constexpr unsigned kLengthBits = 7;
constexpr unsigned kMoreLength = 1U << kLengthBits;
constexpr unsigned kLongestLength = 32;  ///< In bits.

}  // namespace

Error RawRecords::corrupt(std::string reason) const {
  return {.kind = ErrorKind::kDataCorrupt, .message = std::move(reason)};
}

/// Whether `wanted` bytes stand at position_; false at the end of the file. Memory grows with what is there,
/// not with what a length promises.
Result<bool> RawRecords::fill(std::size_t wanted) {
  if (taken_ > 0 && buffer_.size() - taken_ < wanted) {
    buffer_.erase(0, taken_);
    taken_ = 0;
  }
  while (buffer_.size() - taken_ < wanted) {
    const std::size_t filled = buffer_.size();
    buffer_.resize(filled + kBlock);
    const auto offset = static_cast<off_t>(position_ + filled - taken_);
    ssize_t count = is_pipe_ ? -1 : ::pread(fd_, buffer_.data() + filled, kBlock, offset);
    if (count < 0 && (is_pipe_ || errno == ESPIPE)) {
      is_pipe_ = true;
      count = ::read(fd_, buffer_.data() + filled, kBlock);
    }
    const int reason = errno;
    buffer_.resize(filled + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) return false;
    if (count < 0 && reason != EINTR) return libconf::io_error("read ", name_, reason);
  }
  return true;
}

Result<std::optional<RawRecord>> RawRecords::next() {
  const Result<bool> has_type = fill(1);
  if (!has_type) return has_type.error();
  if (!*has_type) return std::nullopt;
  const auto type = static_cast<unsigned char>(buffer_[taken_]);
  std::size_t head = 1;
  std::uint32_t bits = 0;
  for (unsigned shift = 0;; shift += kLengthBits) {
    if (shift >= kLongestLength)
      return corrupt(libconf::concat("too many length bits, record type ", std::to_string(type)));
    const Result<bool> has_length = fill(head + 1);
    if (!has_length) return has_length.error();
    if (!*has_length)
      return corrupt(libconf::concat("unexpected EOF reading length, record type ", std::to_string(type)));
    const auto byte = static_cast<unsigned char>(buffer_[taken_ + head++]);
    bits |= std::uint32_t{byte & (kMoreLength - 1)} << shift;
    if ((byte & kMoreLength) == 0) break;
  }
  // Postfix's lengths have a sign.
  if (const auto signed_length = static_cast<std::int32_t>(bits); signed_length < 0)
    return corrupt(libconf::concat("illegal length ", std::to_string(signed_length), ", record type ",
                                   std::to_string(type)));
  const std::size_t length = bits;
  const Result<bool> has_payload = fill(head + length);
  if (!has_payload) return has_payload.error();
  if (!*has_payload)
    return corrupt(libconf::concat("unexpected EOF in data, record type ", std::to_string(type), " length ",
                                   std::to_string(length)));
  const RawRecord record{
      .offset = position_, .type = type, .payload = std::string_view(buffer_).substr(taken_ + head, length)};
  taken_ += head + length;
  position_ += head + length;
  return record;
}

Result<std::optional<unsigned char>> RawRecords::peek() {
  const Result<bool> has_type = fill(1);
  if (!has_type) return Error{.kind = ErrorKind::kInputOutput, .message = std::strerror(errno)};
  if (!*has_type) return std::nullopt;
  return static_cast<unsigned char>(buffer_[taken_]);
}

Result<void> RawRecords::seek(std::uint64_t offset) {
  if (is_pipe_) return libconf::io_error("seek ", name_, ESPIPE);
  buffer_.clear();
  taken_ = 0;
  position_ = offset;
  return {};
}

std::optional<std::int64_t> leading_number(std::string_view payload) {
  payload.remove_prefix(std::min(payload.find_first_not_of(" \t\n\v\f\r"), payload.size()));
  if (payload.starts_with('+')) payload.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(payload.data(), payload.data() + payload.size(), value);
  if (failure != std::errc()) return std::nullopt;
  return value;
}

}  // namespace mta
