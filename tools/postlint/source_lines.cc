#include "tools/postlint/source_lines.h"

#include <algorithm>

#include "libconf/text.h"

namespace postlint {

std::string_view line_of(std::string_view text, int number) {
  for (int i = 1; i < number; ++i) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

int character_column(std::string_view line, int byte_column) {
  int column = 1;
  for (std::size_t at = 0; at < line.size() && static_cast<int>(at) + 1 < byte_column; ++column)
    at += std::max<std::size_t>(libconf::utf8_length(line.substr(at)), 1);
  return column;
}

}  // namespace postlint
