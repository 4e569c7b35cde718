/// The quoted form of addresses (RFC 5322, 3.2.4 and 3.4.1), in which tables have them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace libmaps {

/// `local@domain` with quotes around a local part that needs some: `a b@x` gives `"a b"@x`. Nothing: there is
/// no '@', or no need. Pure; thread-safe.
std::optional<std::string> quote_address(std::string_view address);

}  // namespace libmaps
