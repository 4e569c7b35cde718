/// What the C library is spared of.
#pragma once

#include <cstddef>
#include <string_view>

/// Repeats of repeats are copied, and back references are tried in all ways: a short text can take all
/// memory, or for ever. That is the C library's, and no news.
inline bool is_cheap_for_posix(std::string_view text) {
  std::size_t cost = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_reference =
        text[i] == '\\' && i + 1 < text.size() && text[i + 1] >= '1' && text[i + 1] <= '9';
    cost += text[i] == '+' ? 1 : text[i] == '{' || is_reference ? 4 : 0;
  }
  return cost <= 9;
}
