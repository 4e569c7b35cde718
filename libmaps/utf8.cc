#include "libmaps/utf8.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace libmaps {
namespace {

using Byte = unsigned char;

bool is_continuation(char c) { return (static_cast<Byte>(c) & 0xc0) == 0x80; }

/// The length of the sequence at the start of `text`, which begins with a byte beyond ASCII; 0: it is none.
std::size_t sequence_length(std::string_view text) {
  const auto first = static_cast<Byte>(text[0]);
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if (!is_continuation(text[i])) return 0;
  // The second byte tells overlong forms, surrogates, and what lies above U+10FFFF.
  const auto second = static_cast<Byte>(text[1]);
  if (first == 0xe0 && second < 0xa0) return 0;
  if (first == 0xed && second > 0x9f) return 0;
  if (first == 0xf0 && second < 0x90) return 0;
  if (first == 0xf4 && second > 0x8f) return 0;
  return length;
}

char fold_letter(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

/// The number of ASCII bytes at the start of `text`, or a little fewer.
std::size_t skip_ascii(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::size_t offset = 0;
  for (std::uint64_t word = 0; offset + sizeof word <= text.size(); offset += sizeof word) {
    std::memcpy(&word, text.data() + offset, sizeof word);
    if ((word & kHighBits) != 0) break;
  }
  return offset;
}

}  // namespace

bool is_utf8(std::string_view text) {
  text.remove_prefix(skip_ascii(text));
  while (!text.empty()) {
    if (static_cast<Byte>(text[0]) < 0x80) {
      text.remove_prefix(1);
      continue;
    }
    const std::size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
    text.remove_prefix(skip_ascii(text));
  }
  return true;
}

std::string fold_ascii(std::string_view text) {
  std::string folded(text);
  std::transform(folded.begin(), folded.end(), folded.begin(), fold_letter);
  return folded;
}

bool is_folded_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<Byte>(c) < 0x80 && !(c >= 'A' && c <= 'Z'); });
}

std::string fold_unicode(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<Byte>(c) < 0x80; }))
    return fold_ascii(text);
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
