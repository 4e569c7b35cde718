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

/// The size of the data that follow "VALUE key flags size [cas]"; nothing, when the line is no such thing.
std::optional<std::size_t> announced_size(std::string_view line, std::string_view key) {
  const auto word = [&line] { return libconf::next_word(line, " ").value_or(""); };
  if (word() != "VALUE" || word() != key || word().empty()) return std::nullopt;
  const std::string_view digits = word();
  std::size_t size = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  if (failed != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return size;
}

}  // namespace

bool is_memcache_key(std::string_view key) {
  return !key.empty() &&
         std::none_of(key.begin(), key.end(), [](char c) { return c == '\0' || libconf::is_space(c); });
}

std::string memcache_get(std::string_view key) { return concat("get ", key, kEnd); }

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

MemcacheScan scan_memcache_value(std::string_view text, std::string_view key, MemcacheReplyLimits limits) {
  const MemcacheScan head = scan_memcache_line(text, limits.line_size);
  if (head.state != State::kLine) return head;
  if (head.text == "END") return {State::kMiss, {}, head.length};
  const std::optional<std::size_t> size = announced_size(head.text, key);
  if (!size || *size > limits.data_size) return {State::kUnexpected, head.text};

  const std::string_view data = text.substr(head.length);
  const std::string_view end_of_data = data.substr(std::min(*size, data.size())).substr(0, kEnd.size());
  if (!kEnd.starts_with(end_of_data)) return {State::kBadData};
  if (end_of_data.size() < kEnd.size()) return {};
  const MemcacheScan last = scan_memcache_line(data.substr(*size + kEnd.size()), limits.line_size);
  if (last.state != State::kLine) return last;
  if (last.text != "END") return {State::kUnexpected, last.text};
  return {State::kValue, data.substr(0, *size), head.length + *size + kEnd.size() + last.length};
}

}  // namespace libmaps
