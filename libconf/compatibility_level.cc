#include "libconf/compatibility_level.h"

#include <charconv>

#include "libconf/text.h"

namespace libconf {

std::optional<CompatibilityLevel> parse_compatibility_level(std::string_view text) {
  constexpr std::int64_t kMinorMax = 1023;
  CompatibilityLevel level;
  std::int64_t* const parts[] = {&level.major, &level.minor, &level.patch};
  for (std::int64_t* part : parts) {
    const std::size_t dot = text.find('.');
    const std::string_view digits = text.substr(0, dot);
    if (!is_all_digits(digits)) return std::nullopt;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), *part);
    if (code != std::errc() || (part != parts[0] && *part > kMinorMax)) return std::nullopt;
    if (dot == std::string_view::npos) return level;
    text.remove_prefix(dot + 1);
  }
  return std::nullopt;  // A third dot.
}

}  // namespace libconf
