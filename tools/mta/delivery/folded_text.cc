#include "tools/mta/delivery/folded_text.h"

#include <algorithm>

#include "libconf/text.h"

namespace mta {

void for_each_folded(std::string_view text, const Folding& folding,
                     const std::function<void(std::string_view line)>& show) {
  constexpr std::string_view kIndent = "    ";
  std::string_view indent;
  for (;;) {
    const std::size_t room = folding.width - indent.size();
    std::size_t end = text.size();
    if (end > room) {
      end = text.rfind(' ', room);
      // What begins with a blank, or has none, is longer than a line.
      if (end == std::string_view::npos || text.find_first_not_of(' ') >= end) end = text.find(' ', room);
      end = std::min(end, text.size());
    }
    const std::string_view piece = text.substr(0, end);
    show(libconf::concat(folding.start, indent, piece.substr(0, piece.find_last_not_of(' ') + 1)));
    if (end == text.size()) return;
    text.remove_prefix(std::min(text.find_first_not_of(' ', end), text.size()));
    indent = kIndent;
  }
}

}  // namespace mta
