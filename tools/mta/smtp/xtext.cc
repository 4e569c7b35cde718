#include "tools/mta/smtp/xtext.h"

#include <charconv>
#include <cstdint>

#include "libconf/hex.h"

namespace mta {

namespace {

std::optional<std::uint32_t> parse_hexadecimal(std::string_view digits) {
  std::uint32_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value, 16);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

void append_utf8(std::string& out, std::uint32_t character) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((character >> shift) & 0x3F)); };
  if (character < 0x80) {
    out += static_cast<char>(character);
  } else if (character < 0x800) {
    out += static_cast<char>(0xC0 | (character >> 6));
    tail(0);
  } else if (character < 0x10000) {
    out += static_cast<char>(0xE0 | (character >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | (character >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

bool is_character(std::uint32_t value) { return value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF); }

}  // namespace

std::optional<std::string> decode_xtext(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t plus = text.find('+');
    out += text.substr(0, plus);
    if (plus == std::string_view::npos) break;
    const std::string_view digits = text.substr(plus + 1, 2);
    const std::optional<std::uint32_t> byte = digits.size() == 2 ? parse_hexadecimal(digits) : std::nullopt;
    if (!byte) return std::nullopt;
    out += static_cast<char>(*byte);
    text.remove_prefix(plus + 3);
  }
  return out;
}

std::string encode_xtext(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= '!' && c <= '~' && c != '+' && c != '=') {
      out += c;
    } else {
      out += '+';
      libconf::append_hex(out, c);
    }
  }
  return out;
}

std::optional<std::string> decode_utf8_xtext(std::string_view text) {
  constexpr std::string_view kOpen = "\\x{";
  std::string out;
  while (!text.empty()) {
    const std::size_t open = text.find(kOpen);
    out += text.substr(0, open);
    if (open == std::string_view::npos) break;
    text.remove_prefix(open + kOpen.size());
    const std::size_t close = text.find('}');
    if (close == std::string_view::npos) return std::nullopt;
    const std::optional<std::uint32_t> character = parse_hexadecimal(text.substr(0, close));
    if (!character || !is_character(*character)) return std::nullopt;
    append_utf8(out, *character);
    text.remove_prefix(close + 1);
  }
  return out;
}

}  // namespace mta
