/// Lines of a text, by number.
#pragma once

#include <string_view>

namespace postlint {

/// Line `number` of `text`, counted from 1, without its newline; empty when there is none. Pure.
std::string_view line_of(std::string_view text, int number);

/// A column that counts characters, for one that counts bytes, both from 1. Bytes that are not UTF-8 are a
/// character each. Pure.
int character_column(std::string_view line, int byte_column);

}  // namespace postlint
