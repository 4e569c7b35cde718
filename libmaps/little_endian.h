/// Numbers as files have them whose format is little-endian on every machine.
#pragma once

#include <concepts>
#include <cstddef>

namespace libmaps {

/// The number in the `sizeof(T)` bytes at `bytes`, which need no alignment.
template <std::unsigned_integral T>
T load_little_endian(const char* bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    value |= static_cast<T>(static_cast<T>(static_cast<unsigned char>(bytes[i])) << (8 * i));
  return value;
}

/// Writes `value` to the `sizeof(T)` bytes at `bytes`.
template <std::unsigned_integral T>
void store_little_endian(char* bytes, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes[i] = static_cast<char>(value >> (8 * i));
}

}  // namespace libmaps
