/// A line that begins a message header (RFC 5322, section 2.2).
#pragma once

#include <cstddef>
#include <string_view>

namespace mta {

/// Where the parts of `Name : value` are.
struct HeaderStart {
  std::size_t name = 0;   ///< The length of the name; 0: the line is no header.
  std::size_t colon = 0;  ///< The offset of the colon; white space may stand before it.
};

/// Takes a line apart. A name is printable ASCII without the colon. Pure; thread-safe.
HeaderStart header_start(std::string_view line);

}  // namespace mta
