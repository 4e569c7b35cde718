/// Lines of a text, by number.
#pragma once

#include <string_view>

namespace postlint {

/// Line `number` of `text`, counted from 1, without its newline; empty when there is none. Pure.
std::string_view line_of(std::string_view text, int number);

}  // namespace postlint
