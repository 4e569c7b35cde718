/// A line that begins a message header (RFC 5322, section 2.2).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mta {

/// Where the parts of `Name : value` are.
struct HeaderStart {
  std::size_t name = 0;   ///< The length of the name; 0: the line is no header.
  std::size_t colon = 0;  ///< The offset of the colon; white space may stand before it.
};

/// Takes a line apart. A name is printable ASCII without the colon. Pure; thread-safe.
HeaderStart header_start(std::string_view line);

/// A name as it may stand in a comment of a header: '?' for a backslash, which would quote, for what is not
/// printable ASCII, and for a parenthesis that closes none; those that stay open are closed at the end. Pure;
/// thread-safe.
std::string comment_text(std::string_view name);

}  // namespace mta
