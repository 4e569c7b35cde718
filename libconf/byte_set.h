/// Which bytes to look for in a text.
///
///     constexpr libconf::ByteSet kSpecial("\"\\()");
///     std::find_if(text.begin(), text.end(), [](char c) { return kSpecial.has(c); })
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace libconf {

/// Bytes that are looked for, to be asked once for each byte of a text: in a std::string_view, each would be
/// a search.
class ByteSet {
 public:
  explicit constexpr ByteSet(std::string_view bytes) {
    for (const char c : bytes) word_of(c) |= bit_of(c);
  }
  constexpr bool has(char c) const { return (words_[static_cast<unsigned char>(c) / 64] & bit_of(c)) != 0; }

 private:
  static constexpr std::uint64_t bit_of(char c) {
    return std::uint64_t{1} << (static_cast<unsigned char>(c) % 64);
  }
  constexpr std::uint64_t& word_of(char c) { return words_[static_cast<unsigned char>(c) / 64]; }

  std::array<std::uint64_t, 4> words_{};
};

}  // namespace libconf
