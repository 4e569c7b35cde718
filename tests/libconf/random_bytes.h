/// Input for tests of what holds for any bytes.
#pragma once

#include <random>
#include <string>

namespace libconf {

/// Fewer than `limit` bytes, any of the 256.
inline std::string random_bytes(std::mt19937& random, std::size_t limit) {
  std::string text(random() % limit, '\0');
  for (char& c : text) c = static_cast<char>(random() & 0xFF);
  return text;
}

}  // namespace libconf
