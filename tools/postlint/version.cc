#include "tools/postlint/version.h"

#include <array>
#include <charconv>

#include "libconf/text.h"

namespace postlint {

std::optional<Version> parse_version(std::string_view text, int patch) {
  std::array<int, 3> numbers{0, 0, patch};
  std::size_t count = 0;
  for (; count < numbers.size() && !text.empty(); ++count) {
    if (count > 0) {
      if (text.front() != '.') return std::nullopt;
      text.remove_prefix(1);
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), numbers[count]);
    if (error != std::errc() || numbers[count] < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  if (count < 2 || !text.empty()) return std::nullopt;
  return Version{numbers[0], numbers[1], numbers[2]};
}

std::string to_string(const Version& version) {
  return libconf::concat(std::to_string(version.major), ".", std::to_string(version.minor));
}

}  // namespace postlint
