#include "tools/mta/queue/queue_id.h"

#include <algorithm>
#include <limits>

namespace mta {
namespace {

/// Digits and consonants: no ID spells a word. The inode number does without the last one.
constexpr std::string_view kBase52 = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
constexpr std::string_view kBase51 = kBase52.substr(0, 51);
constexpr std::string_view kBase16 = "0123456789ABCDEF";
constexpr char kInodeMark = kBase52.back();
constexpr std::size_t kSecondsLength = 6;  // At least.
constexpr std::size_t kLongMicrosecondsLength = 4;
constexpr std::size_t kShortMicrosecondsLength = 5;
constexpr std::uint64_t kMicrosecondsPerSecond = 1'000'000;
constexpr std::size_t kLongestName = 255;  // NAME_MAX of the usual file systems.

/// `value` in digits, with zeros before it where it is shorter than `width`.
std::string encode(std::uint64_t value, std::string_view digits, std::size_t width = 1) {
  std::string text;
  for (; value != 0 || text.size() < width; value /= digits.size()) text += digits[value % digits.size()];
  std::reverse(text.begin(), text.end());
  return text;
}

/// The number that encode() wrote, without regard to zeros before it; nothing for other text.
std::optional<std::uint64_t> decode(std::string_view text, std::string_view digits) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    const std::size_t digit = digits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / digits.size()) return std::nullopt;
    value = value * digits.size() + digit;
  }
  return value;
}

std::optional<std::uint64_t> decode_microseconds(std::string_view text, std::string_view digits) {
  const std::optional<std::uint64_t> value = decode(text, digits);
  return value < kMicrosecondsPerSecond ? value : std::nullopt;
}

/// Where the microseconds of a long ID start. Nothing for a short ID, whatever its digits.
std::optional<std::size_t> long_microseconds(std::string_view id) {
  const std::size_t mark = id.rfind(kInodeMark);
  if (mark == std::string_view::npos || mark < kSecondsLength + kLongMicrosecondsLength) return std::nullopt;
  return mark - kLongMicrosecondsLength;
}

std::optional<QueueIdParts> parse_long(std::string_view id, std::size_t microseconds_at) {
  const auto seconds = decode(id.substr(0, microseconds_at), kBase52);
  const auto microseconds = decode_microseconds(id.substr(microseconds_at, kLongMicrosecondsLength), kBase52);
  const auto inode = decode(id.substr(microseconds_at + kLongMicrosecondsLength + 1), kBase51);
  if (!seconds || !microseconds || !inode) return std::nullopt;
  if (*seconds > static_cast<std::uint64_t>(std::chrono::seconds::max().count())) return std::nullopt;
  return QueueIdParts{.form = QueueIdForm::kLong,
                      .microseconds = static_cast<std::uint32_t>(*microseconds),
                      .seconds = std::chrono::sys_seconds(std::chrono::seconds(*seconds)),
                      .inode = *inode};
}

std::optional<QueueIdParts> parse_short(std::string_view id) {
  if (id.size() <= kShortMicrosecondsLength) return std::nullopt;
  const auto microseconds = decode_microseconds(id.substr(0, kShortMicrosecondsLength), kBase16);
  const auto inode = decode(id.substr(kShortMicrosecondsLength), kBase16);
  if (!microseconds || !inode) return std::nullopt;
  return QueueIdParts{.form = QueueIdForm::kShort,
                      .microseconds = static_cast<std::uint32_t>(*microseconds),
                      .seconds = std::nullopt,
                      .inode = *inode};
}

bool is_id_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

}  // namespace

QueueTime queue_time_now() {
  return std::chrono::time_point_cast<QueueTime::duration>(std::chrono::system_clock::now());
}

std::string make_queue_id(QueueIdForm form, QueueTime time, ino_t inode) {
  const auto since_epoch = static_cast<std::uint64_t>(time.time_since_epoch().count());
  const std::uint64_t microseconds = since_epoch % kMicrosecondsPerSecond;
  if (form == QueueIdForm::kShort)
    return encode(microseconds, kBase16, kShortMicrosecondsLength) + encode(inode, kBase16);
  return encode(since_epoch / kMicrosecondsPerSecond, kBase52, kSecondsLength) +
         encode(microseconds, kBase52, kLongMicrosecondsLength) + kInodeMark + encode(inode, kBase51);
}

bool is_queue_id(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName &&
         std::all_of(name.begin(), name.end(), is_id_character);
}

std::optional<QueueIdParts> parse_queue_id(std::string_view id) {
  if (id.size() > kLongestName) return std::nullopt;
  const std::optional<std::size_t> microseconds_at = long_microseconds(id);
  return microseconds_at ? parse_long(id, *microseconds_at) : parse_short(id);
}

std::string queue_subdirectory(std::string_view id, int depth) {
  std::string microseconds;
  if (const std::optional<std::size_t> at = long_microseconds(id)) {
    // What is no number is 0 to Postfix.
    const auto value = decode(id.substr(*at, kLongMicrosecondsLength), kBase52).value_or(0);
    microseconds = encode(value, kBase16, kShortMicrosecondsLength);
    id = microseconds;
  }
  std::string path;
  for (int level = 0; level < depth; ++level) {
    const auto index = static_cast<std::size_t>(level);
    path += index < id.size() ? id[index] : '_';
    path += '/';
  }
  return path;
}

}  // namespace mta
