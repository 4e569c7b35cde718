#include "libmaps/memcache_protocol.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "libconf/text.h"

namespace libmaps {
namespace {

using libconf::concat;
using State = MemcacheScan::State;

constexpr std::string_view kEnd = "\r\n";

/// What "VALUE key flags size [cas]" says; nothing, when the line is no such thing.
struct Announcement {
  std::string_view key;
  std::size_t size = 0;
};

std::optional<Announcement> parse_announcement(std::string_view line) {
  const auto word = [&line] { return libconf::next_word(line, " ").value_or(""); };
  if (word() != "VALUE") return std::nullopt;
  Announcement announcement{.key = word()};
  static_cast<void>(word());  // The flags are not ours.
  const std::string_view digits = word();
  const char* const end_of_digits = digits.data() + digits.size();
  const auto [end, failed] = std::from_chars(digits.data(), end_of_digits, announcement.size);
  if (failed != std::errc() || end != end_of_digits) return std::nullopt;
  return announcement;
}

}  // namespace

bool is_memcache_key(std::string_view key) {
  return !key.empty() &&
         std::none_of(key.begin(), key.end(), [](char c) { return c == '\0' || libconf::is_space(c); });
}

std::string memcache_get(std::span<const std::string> keys) {
  std::string request = "get";
  for (const std::string& key : keys) request.append(" ").append(key);
  return request.append(kEnd);
}

std::string memcache_set(std::string_view key, std::string_view value, MemcacheEntryOptions options,
                         bool is_new_only) {
  return concat(is_new_only ? "add " : "set ", key, " ", std::to_string(options.flags), " ",
                std::to_string(options.ttl), " ", std::to_string(value.size()), kEnd, value, kEnd);
}

std::string memcache_delete(std::string_view key) { return concat("delete ", key, kEnd); }

MemcacheScan scan_memcache_line(std::string_view text, std::size_t size_limit) {
  const std::size_t newline = text.find('\n');
  if (newline == std::string_view::npos)
    return {text.size() > size_limit ? State::kTooLong : State::kIncomplete};
  std::string_view line = text.substr(0, newline);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() >= size_limit) return {State::kTooLong};
  return {State::kLine, line, newline + 1};
}

MemcacheScan scan_memcache_item(std::string_view text, MemcacheReplyLimits limits) {
  const MemcacheScan head = scan_memcache_line(text, limits.line_size);
  if (head.state != State::kLine) return head;
  if (head.text == "END") return {State::kEnd, {}, head.length};
  const std::optional<Announcement> value = parse_announcement(head.text);
  if (!value || value->size > limits.data_size) return {State::kUnexpected, head.text};
  const std::string_view data = text.substr(head.length);
  const std::string_view end = data.substr(std::min(value->size, data.size())).substr(0, kEnd.size());
  if (!kEnd.starts_with(end)) return {State::kBadData};
  if (end.size() < kEnd.size()) return {};
  return {State::kValue, data.substr(0, value->size), head.length + value->size + kEnd.size(), value->key};
}

}  // namespace libmaps
