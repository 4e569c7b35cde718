/// Enhanced status codes (RFC 3463) at the start of texts that administrators write: access(5),
/// header_checks(5), transport(5).
///
///     const std::size_t length = status_length("5.1.1 No such user");  // 5
#pragma once

#include <cstddef>
#include <string_view>

namespace mta {

/// The length of the enhanced status code at the start of `text`: class 2, 4 or 5, and two numbers of up to
/// three digits (RFC 3463, 2), with a blank or nothing behind it. 0: there is none. Pure; thread-safe.
std::size_t status_length(std::string_view text);

}  // namespace mta
