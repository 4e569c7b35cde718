#include "tools/mta/access/rbl_filter.h"

#include <algorithm>

#include "libconf/text.h"
#include "libmaps/ip_address.h"

namespace mta {
namespace {

using libconf::concat;

/// Reads along a text, and knows where it is when something is wrong.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool take(std::string_view what) {
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }
  bool is_at_end() const { return at_ == text_.size(); }

  /// A number that fits a byte; nothing, and no step ahead, when there is none.
  std::optional<std::uint8_t> take_byte() {
    unsigned value = 0;
    std::size_t end = at_;
    while (end < text_.size() && text_[end] >= '0' && text_[end] <= '9' && value <= 255)
      value = value * 10 + static_cast<unsigned>(text_[end++] - '0');
    if (end == at_ || value > 255) return std::nullopt;
    at_ = end;
    return static_cast<std::uint8_t>(value);
  }

  libconf::Error error(std::string_view what) const {
    return {.kind = libconf::ErrorKind::kSyntax,
            .message = concat("RBL reply error: ", what, " at \"", text_.substr(0, at_), ">",
                              text_.substr(at_), "<\"")};
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

libconf::Result<RblFilter> RblFilter::parse(std::string_view text) {
  RblFilter filter;
  Cursor cursor(text);
  for (std::size_t part = 0; part < filter.parts_.size(); ++part) {
    auto& ranges = filter.parts_[part];
    if (part > 0 && !cursor.take(".")) return cursor.error("need \".\"");
    if (!cursor.take("[")) {
      const auto number = cursor.take_byte();
      if (!number) return cursor.error("need decimal number 0..255 or \"[\"");
      ranges.push_back({*number, *number});
      continue;
    }
    do {
      const auto first = cursor.take_byte();
      if (!first) return cursor.error("need decimal number 0..255");
      auto last = first;
      if (cursor.take("..")) last = cursor.take_byte();
      if (!last) return cursor.error("need decimal number 0..255");
      if (*last < *first) return cursor.error("bad range");
      ranges.push_back({*first, *last});
    } while (cursor.take(";"));
    if (!cursor.take("]")) return cursor.error("need \";\", \"..\" or \"]\"");
  }
  if (!cursor.is_at_end()) return cursor.error("garbage after pattern");
  return filter;
}

bool RblFilter::matches(std::string_view address) const {
  const auto parsed = libmaps::parse_ipv4(address);
  if (!parsed) return false;
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    const auto byte = static_cast<std::uint8_t>(parsed->bits >> (8 * (3 - part)));
    const auto& ranges = parts_[part];
    if (std::none_of(ranges.begin(), ranges.end(),
                     [&](const Range& range) { return range.first <= byte && byte <= range.last; }))
      return false;
  }
  return true;
}

libconf::Result<RblArgument> parse_rbl_argument(std::string_view text) {
  const std::size_t equals = text.find('=');
  RblArgument argument{.domain = std::string(text.substr(0, equals))};
  if (equals == std::string_view::npos) return argument;
  auto filter = RblFilter::parse(text.substr(equals + 1));
  if (!filter) return filter.error();
  argument.filter = std::move(*filter);
  return argument;
}

}  // namespace mta
