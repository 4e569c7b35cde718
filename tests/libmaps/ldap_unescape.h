/// Readers of what escape_ldap_filter() and escape_ldap_dn() write, by the grammars of the RFCs.
#pragma once

#include <cctype>
#include <optional>
#include <string>
#include <string_view>

namespace postkit_test {

/// The byte that two hexadecimal digits at the start of `text` stand for.
inline std::optional<char> hex_byte(std::string_view text) {
  const auto is_digit = [&](std::size_t i) {
    return i < text.size() && std::isxdigit(static_cast<unsigned char>(text[i])) != 0;
  };
  if (!is_digit(0) || !is_digit(1)) return std::nullopt;
  return static_cast<char>(std::stoi(std::string(text.substr(0, 2)), nullptr, 16));
}

/// RFC 4515, `assertionvalue`. Nothing: it has a wildcard, or ends the filter.
inline std::optional<std::string> unescape_ldap_filter(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (std::string_view("*()\0", 4).find(text[i]) != std::string_view::npos) return std::nullopt;
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    const std::optional<char> byte = hex_byte(text.substr(i + 1));
    if (!byte) return std::nullopt;
    out += *byte;
    i += 2;
  }
  return out;
}

/// RFC 4514, `string`. Nothing: it is not one.
inline std::optional<std::string> unescape_ldap_dn(std::string_view text) {
  constexpr std::string_view kEscaped = "\"+,;<>\\";
  if (text.starts_with('#') || text.starts_with(' ')) return std::nullopt;
  std::string out;
  bool is_escaped = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    is_escaped = text[i] == '\\';
    if (!is_escaped) {
      if (text[i] == '\0' || kEscaped.find(text[i]) != std::string_view::npos) return std::nullopt;
      out += text[i];
      continue;
    }
    ++i;
    if (i == text.size()) return std::nullopt;
    if (kEscaped.find(text[i]) != std::string_view::npos ||
        std::string_view(" #=").find(text[i]) != std::string_view::npos) {
      out += text[i];
    } else {
      const std::optional<char> byte = hex_byte(text.substr(i));
      if (!byte) return std::nullopt;
      out += *byte;
      ++i;
    }
  }
  if (!text.empty() && text.back() == ' ' && !is_escaped) return std::nullopt;
  return out;
}

}  // namespace postkit_test
