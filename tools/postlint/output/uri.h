/// Names of files in reports that want URIs (RFC 3986).
#pragma once

#include <string>
#include <string_view>

namespace postlint {

/// A relative reference for a relative name, "file:///..." for an absolute one. Pure.
std::string uri_of(std::string_view file);

}  // namespace postlint
