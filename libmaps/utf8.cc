#include "libmaps/utf8.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "libconf/text.h"

namespace libmaps {
namespace {

using Byte = unsigned char;

char fold_letter(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

using Word = std::uint64_t;
constexpr Word kOnes = 0x0101010101010101;
constexpr Word kHighBits = 0x80 * kOnes;

/// The high bit of each byte beyond ASCII.
Word beyond_ascii(Word word) { return word & kHighBits; }

/// The high bit of each byte that folding may change: beyond ASCII, or a capital letter.
Word foldable(Word word) {
  // In a byte of ASCII, what is added carries into the high bit from 'A' on, and from behind 'Z' on.
  const Word ascii = word & ~kHighBits;
  const Word from_a = ascii + (0x80 - 'A') * kOnes;
  const Word behind_z = ascii + (0x80 - 'Z' - 1) * kOnes;
  return (word | (from_a & ~behind_z)) & kHighBits;
}

/// Whether `is_special` finds no byte in `text`, eight at a time. A byte of 0 must not be special.
template <Word (*is_special)(Word)>
bool has_none(std::string_view text) {
  Word word = 0;
  for (; text.size() >= sizeof word; text.remove_prefix(sizeof word)) {
    std::memcpy(&word, text.data(), sizeof word);
    if (is_special(word) != 0) return false;
  }
  if (text.empty()) return true;
  word = 0;
  std::memcpy(&word, text.data(), text.size());
  return is_special(word) == 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
  if (has_none<beyond_ascii>(text)) return true;
  while (!text.empty()) {
    const bool is_ascii = static_cast<Byte>(text[0]) < 0x80;
    const std::size_t length = is_ascii ? 1 : libconf::utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string fold_ascii(std::string_view text) {
  std::string folded(text);
  std::transform(folded.begin(), folded.end(), folded.begin(), fold_letter);
  return folded;
}

bool is_folded_ascii(std::string_view text) { return has_none<foldable>(text); }

std::string fold_unicode(std::string_view text) {
  if (has_none<beyond_ascii>(text)) return fold_ascii(text);
  utf8proc_uint8_t* folded = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &folded, UTF8PROC_CASEFOLD);
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owner(folded, std::free);
  // Folding fails only for a text that is not UTF-8, or without memory.
  if (size < 0) return fold_ascii(text);
  return {reinterpret_cast<const char*>(folded), static_cast<std::size_t>(size)};
}

}  // namespace libmaps
