/// Releases of Postfix: "3.7", "3.12.1".
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace postlint {

struct Version {
  int major = 0;
  int minor = 0;
  int patch = 0;
  auto operator<=>(const Version&) const = default;
};

/// The release that the parameter table describes.
inline constexpr Version kNewestVersion{3, 12, 99};

/// Reads up to three numbers; a patch that is not there is `patch`. Nothing: it is no release. Pure.
std::optional<Version> parse_version(std::string_view text, int patch = 0);

std::string to_string(const Version& version);

}  // namespace postlint
