/// Long lines in notices, as Postfix folds them.
///
///     for_each_folded("long text ...", {.width = 79}, [&](std::string_view line) { sink.line(line, false);
///     });
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace mta {

struct Folding {
  std::size_t width = 79;       ///< Of a line, in bytes.
  std::string_view start = "";  ///< Stands before every line, and does not count.
};

/// Calls `show` with each line of `text`, the further ones indented by four. Lines are folded at blanks, of
/// which those at the end of a line are lost, and others kept; a word that is longer than a line stays whole.
void for_each_folded(std::string_view text, const Folding& folding,
                     const std::function<void(std::string_view line)>& show);

}  // namespace mta
