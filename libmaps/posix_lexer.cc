#include "libmaps/posix_lexer.h"

namespace libmaps {
namespace {

using Kind = PatternToken::Kind;

bool is_in(char c, std::string_view characters) { return characters.find(c) != std::string_view::npos; }

/// What needs a backslash in basic expressions, and has none in extended ones.
constexpr std::string_view kOperators = "(){|+?";

/// Other locales than "C" may see parts of characters, and their case, in these.
PatternToken plain(char c) {
  return static_cast<unsigned char>(c) < 0x80 ? PatternToken::byte(c) : PatternToken::of(Kind::kOpaque);
}

}  // namespace

PatternToken PosixLexer::next() {
  if (at_end()) return PatternToken::of(Kind::kEnd);
  const bool is_first = is_first_;
  is_first_ = false;
  const char c = take();
  switch (c) {
    case '\\':
      return take_escape();
    case '[':
      return take_bracket(false);
    case '.':
      return PatternToken::of(Kind::kOpaque);
    case '*':
      return PatternToken::repeat(0, PatternToken::kNoMax);
    case '^':
      // In the middle of a basic expression an anchor may be plain.
      return PatternToken::of(is_extended_ || is_first ? Kind::kNothing : Kind::kUnknown);
    case '$':
      return PatternToken::of(is_extended_ || at_end() ? Kind::kNothing : Kind::kUnknown);
    default:
      return is_extended_ && is_in(c, kOperators) ? take_operator(c) : plain(c);
  }
}

PatternToken PosixLexer::take_operator(char c) {
  switch (c) {
    case '(':
      return PatternToken::of(Kind::kOpenCapture);
    case ')':
      return PatternToken::of(Kind::kClose);
    case '{':
      return take_interval(is_extended_ ? "}" : "\\}");
    case '|':
      return PatternToken::of(Kind::kAlternate);
    case '+':
      return PatternToken::repeat(1, PatternToken::kNoMax);
    default:
      return PatternToken::repeat(0, 1);
  }
}

PatternToken PosixLexer::take_escape() {
  if (at_end()) return PatternToken::of(Kind::kUnknown);
  const char c = take();
  if (!is_extended_ && is_in(c, kOperators)) return take_operator(c);
  if (is_in(c, "wWsS")) return PatternToken::of(Kind::kOpaque);
  if (is_in(c, "bB<>`'")) return PatternToken::of(Kind::kNothing);
  if (c >= '1' && c <= '9') {
    is_certain_ = false;  // The group may not exist.
    return PatternToken::of(Kind::kOpaque);
  }
  if (!is_extended_ && c == '}') return PatternToken::of(Kind::kUnknown);
  return plain(c);
}

}  // namespace libmaps
