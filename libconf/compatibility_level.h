/// Compatibility levels: `major[.minor[.patch]]` (COMPATIBILITY_README).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace libconf {

/// Minor and patch are 0 where the text has none.
struct CompatibilityLevel {
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::int64_t patch = 0;
  auto operator<=>(const CompatibilityLevel&) const = default;
};

/// Nothing when `text` is malformed: minor and patch go to 1023, as in Postfix.
std::optional<CompatibilityLevel> parse_compatibility_level(std::string_view text);

}  // namespace libconf
