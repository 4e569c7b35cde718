/// XML as reports need it.
#pragma once

#include <string>
#include <string_view>

namespace postlint {

/// `text` as it may stand in an attribute or between tags: control characters, which XML 1.0 does not have,
/// become '?'. Pure.
std::string xml_escaped(std::string_view text);

}  // namespace postlint
