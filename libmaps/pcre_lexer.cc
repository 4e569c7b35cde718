#include "libmaps/pcre_lexer.h"

#include <cstddef>

namespace libmaps {
namespace {

using Kind = PatternToken::Kind;

bool is_in(char c, std::string_view characters) { return characters.find(c) != std::string_view::npos; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

PatternToken PcreLexer::next() {
  constexpr std::uint32_t kNoMax = PatternToken::kNoMax;
  while (!at_end()) {
    if (is_quoting_) {
      if (!rest_.starts_with("\\E")) return PatternToken::byte(take());
      skip(2);
      is_quoting_ = false;
      continue;
    }
    if (rest_.starts_with("\\E")) {
      skip(2);
      continue;
    }
    if (rest_.starts_with("\\Q")) {
      skip(2);
      is_quoting_ = true;
      continue;
    }
    if (rest_.starts_with("(?#")) {
      const std::size_t end = rest_.find(')');
      if (end == std::string_view::npos) return PatternToken::of(Kind::kUnknown);
      skip(end + 1);
      continue;
    }
    const char c = take();
    switch (c) {
      case '\\':
        return take_escape();
      case '[':
        return take_bracket(true);
      case '(':
        return take_group();
      case ')':
        return PatternToken::of(Kind::kClose);
      case '|':
        return PatternToken::of(Kind::kAlternate);
      case '.':
        return PatternToken::of(Kind::kOpaque);
      case '^':
      case '$':
        return PatternToken::of(Kind::kNothing);
      case '*':
        return take_quantifier(PatternToken::repeat(0, kNoMax));
      case '+':
        return take_quantifier(PatternToken::repeat(1, kNoMax));
      case '?':
        return take_quantifier(PatternToken::repeat(0, 1));
      case '{':
        // Versions differ in which braces are quantifiers; some are plain for all.
        if (is_in(peek(), "0123456789, \t")) return take_quantifier(take_interval("}"));
        return PatternToken::byte(c);
      default:
        return PatternToken::byte(c);
    }
  }
  return PatternToken::of(Kind::kEnd);
}

PatternToken PcreLexer::take_quantifier(PatternToken repeat) {
  if (repeat.kind == Kind::kRepeat && (peek() == '?' || peek() == '+')) skip(1);
  return repeat;
}

PatternToken PcreLexer::take_group() {
  struct Form {
    std::string_view opening;  // After the parenthesis.
    Kind kind;
    bool is_certain;
  };
  // Lookbehinds may be too long, and names may be wrong or given twice.
  static constexpr Form kForms[] = {
      {"?:", Kind::kOpenGroup, true},    {"?>", Kind::kOpenGroup, true},     {"?=", Kind::kOpenLook, true},
      {"?!", Kind::kOpenLook, true},     {"?<=", Kind::kOpenLook, false},    {"?<!", Kind::kOpenLook, false},
      {"?<", Kind::kOpenCapture, false}, {"?P<", Kind::kOpenCapture, false},
  };
  if (peek() == '*') return PatternToken::of(Kind::kUnknown);
  if (peek() != '?') return PatternToken::of(Kind::kOpenCapture);
  for (const Form& form : kForms) {
    if (!rest_.starts_with(form.opening)) continue;
    skip(form.opening.size());
    is_certain_ = is_certain_ && form.is_certain;
    if (form.kind == Kind::kOpenCapture) {
      const std::size_t end = rest_.find('>');
      if (end == std::string_view::npos) return PatternToken::of(Kind::kUnknown);
      skip(end + 1);
    }
    return PatternToken::of(form.kind);
  }
  skip(1);
  return take_options();
}

/// "i)", "i-s:"... Options that change the meaning of later characters are not understood.
PatternToken PcreLexer::take_options() {
  std::size_t letters = 0;
  for (bool is_off = false;; skip(1)) {
    if (is_in(peek(), "imsU")) {
      ++letters;
    } else if (peek() == '-' && !is_off) {
      is_off = true;
      letters = 0;
    } else {
      break;
    }
  }
  if (letters == 0 || at_end()) return PatternToken::of(Kind::kUnknown);
  switch (take()) {
    case ')':
      return PatternToken::of(Kind::kNothing);
    case ':':
      return PatternToken::of(Kind::kOpenGroup);
    default:
      return PatternToken::of(Kind::kUnknown);
  }
}

/// What follows a backslash.
PatternToken PcreLexer::take_escape() {
  if (at_end()) return PatternToken::of(Kind::kUnknown);
  const char c = take();
  if (const char byte = pcre_escaped_byte(c); byte != '\0') return PatternToken::byte(byte);
  if (is_in(c, "dDwWsShHvVR")) return PatternToken::of(Kind::kOpaque);
  if (is_in(c, "bBAzZG")) return PatternToken::of(Kind::kNothing);
  if (c == 'x') {
    if (hex_value(peek()) < 0 || hex_value(peek(1)) < 0) return PatternToken::of(Kind::kUnknown);
    const int high = hex_value(take());
    return PatternToken::byte(static_cast<char>(high * 16 + hex_value(take())));
  }
  if (c >= '1' && c <= '9' && !is_in(peek(), "0123456789")) {
    is_certain_ = false;  // The group may not exist.
    return PatternToken::of(Kind::kOpaque);
  }
  const bool is_alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return is_alphanumeric ? PatternToken::of(Kind::kUnknown) : PatternToken::byte(c);
}

}  // namespace libmaps
