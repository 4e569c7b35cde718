/// A header as the records of a queue file have it: lines, and pieces of long ones.
#pragma once

#include <cstddef>
#include <string_view>

namespace mta {

/// Calls `piece(text, ends_line)` for each.
template <class Piece>
void for_each_header_piece(std::string_view header, std::size_t line_length_limit, Piece piece) {
  for (;;) {
    std::string_view line = header.substr(0, header.find('\n'));
    const bool is_last = line.size() == header.size();
    header.remove_prefix(line.size() + (is_last ? 0 : 1));
    for (; line.size() > line_length_limit; line.remove_prefix(line_length_limit))
      piece(line.substr(0, line_length_limit), false);
    piece(line, true);
    if (is_last) return;
  }
}

}  // namespace mta
