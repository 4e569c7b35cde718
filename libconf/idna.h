/// Internationalised domain names (RFC 5890 to 5893, through libidn2).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace libconf {

/// `domain` in its ASCII form (A-labels). A domain that has no such form comes back unchanged. Thread-safe.
std::string domain_to_ascii(std::string_view domain);

/// `domain` in its Unicode form (U-labels), as UTF-8. Nothing, where a label that looks like an A-label is
/// none. Thread-safe.
std::optional<std::string> domain_to_unicode(std::string_view domain);

}  // namespace libconf
