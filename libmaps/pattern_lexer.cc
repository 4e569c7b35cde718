#include "libmaps/pattern_lexer.h"

#include <algorithm>
#include <optional>

namespace libmaps {
namespace {

using Kind = PatternToken::Kind;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

constexpr std::string_view kClassNames[] = {"alnum", "alpha", "blank", "cntrl", "digit", "graph",
                                            "lower", "print", "punct", "space", "upper", "xdigit"};

/// The length of "[:name:]" at the start of `text`; 0 when it is not one of those that all engines know.
std::size_t class_name_length(std::string_view text) {
  const std::size_t end = text.find(":]");
  if (!text.starts_with("[:") || end == std::string_view::npos || end < 2) return 0;
  return std::ranges::count(kClassNames, text.substr(2, end - 2)) != 0 ? end + 2 : 0;
}

/// Members of a bracket expression, as long as they are few.
class Members {
 public:
  void add(char c) {
    // A byte beyond ASCII may be a part of a character.
    if (token_.count == token_.bytes.size() || !is_ascii(c)) return add_many();
    token_.bytes[token_.count++] = c;
  }
  void add_many() { token_.kind = Kind::kOpaque; }
  PatternToken token() const { return token_; }

 private:
  PatternToken token_ = PatternToken::of(Kind::kOneOf);
};

/// A member of a bracket expression: a character, or a class such as \d.
struct Member {
  bool is_class = false;
  char byte = '\0';
};

std::optional<Member> take_member(std::string_view& rest, bool has_escapes) {
  const char c = rest[0];
  if (c != '\\' || !has_escapes) {
    rest.remove_prefix(1);
    return Member{.byte = c};
  }
  if (rest.size() < 2) return std::nullopt;
  const char escaped = rest[1];
  rest.remove_prefix(2);
  if (!is_letter(escaped) && !is_digit(escaped)) return Member{.byte = escaped};
  if (std::string_view("dDwWsShHvV").find(escaped) != std::string_view::npos) return Member{.is_class = true};
  if (const char byte = pcre_escaped_byte(escaped); byte != '\0') return Member{.byte = byte};
  return std::nullopt;
}

bool is_class_delimiter(char c) { return c == ':' || c == '.' || c == '='; }

/// The rest of "[:alpha:]", "[.a.]" or "[=a=]" where no bracket expression is around it: PCRE refuses that.
bool looks_like_class(std::string_view rest) {
  const std::size_t end = rest.find(']');
  return end != std::string_view::npos && end >= 2 && is_class_delimiter(rest[0]) &&
         (rest[end - 1] == rest[0] || rest[end - 1] == '\\');
}

/// A hyphen that is not the last character of the bracket expression.
bool starts_with_range(std::string_view rest) { return rest.size() >= 2 && rest[0] == '-' && rest[1] != ']'; }

}  // namespace

char pcre_escaped_byte(char letter) {
  switch (letter) {
    case 'a':
      return '\a';
    case 'e':
      return '\x1b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return '\0';
  }
}

PatternToken PatternLexer::take_bracket(bool has_escapes) {
  const PatternToken unknown = PatternToken::of(Kind::kUnknown);
  Members members;
  if (looks_like_class(rest_)) return unknown;
  if (peek() == '^') {
    skip(1);
    members.add_many();
  }
  for (bool is_first = true;; is_first = false) {
    if (at_end()) return unknown;
    if (peek() == ']' && !is_first) break;
    bool is_range_end = false;
    if (peek() == '[' && is_class_delimiter(peek(1))) {
      const std::size_t length = class_name_length(rest_);
      if (length == 0) return unknown;
      skip(length);
      members.add_many();
      is_range_end = true;
    } else {
      const bool is_hyphen = peek() == '-';
      const auto low = take_member(rest_, has_escapes);
      if (!low) return unknown;
      if (low->is_class) {
        members.add_many();
        is_range_end = true;
      } else if (!starts_with_range(rest_)) {
        members.add(low->byte);
      } else {
        // What a range may start and end with differs between engines, but not here.
        skip(1);
        if (is_hyphen || peek() == '[' || peek() == '-') return unknown;
        const auto high = take_member(rest_, has_escapes);
        const bool in_order =
            high && !high->is_class && is_ascii(low->byte) && is_ascii(high->byte) && low->byte <= high->byte;
        if (!in_order) return unknown;
        // POSIX engines that ignore case compare the ends in upper case.
        const auto is_kin = [&](char first, char last) { return low->byte >= first && high->byte <= last; };
        if (!is_kin('0', '9') && !is_kin('a', 'z') && !is_kin('A', 'Z')) is_certain_ = false;
        members.add_many();
        is_range_end = true;
      }
    }
    if (is_range_end && starts_with_range(rest_)) return unknown;
  }
  skip(1);
  return members.token();
}

PatternToken PatternLexer::take_interval(std::string_view close) {
  constexpr std::uint32_t kMost = 255;
  const auto take_number = [this]() -> std::optional<std::uint32_t> {
    std::uint32_t number = 0;
    if (!is_digit(peek())) return std::nullopt;
    while (is_digit(peek()) && number <= kMost)
      number = number * 10 + static_cast<std::uint32_t>(take() - '0');
    if (number > kMost) return std::nullopt;
    return number;
  };
  const PatternToken unknown = PatternToken::of(Kind::kUnknown);
  const auto min = take_number();
  if (!min) return unknown;
  std::uint32_t max = *min;
  if (peek() == ',') {
    skip(1);
    max = PatternToken::kNoMax;
    if (is_digit(peek())) {
      const auto number = take_number();
      if (!number || *number < *min) return unknown;
      max = *number;
    }
  }
  if (!rest_.starts_with(close)) return unknown;
  skip(close.size());
  return PatternToken::repeat(*min, max);
}

}  // namespace libmaps
