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
    const std::size_t length = libconf::utf8_length(text);
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
