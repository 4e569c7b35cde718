/// Bytes as hexadecimal digits.
#pragma once

#include <string>
#include <string_view>

namespace libconf {

/// Appends the two digits of a byte, in capitals.
inline void append_hex(std::string& out, char byte) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto value = static_cast<unsigned char>(byte);
  out += kDigits[value >> 4];
  out += kDigits[value & 0xF];
}

}  // namespace libconf
