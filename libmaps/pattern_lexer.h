/// Patterns as tokens: what PCRE's and POSIX's syntaxes have in common for whoever asks what a pattern needs.
///
/// A lexer is cautious: for anything that it does not know with all its details it says kUnknown, and the
/// engine has to be asked.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace libmaps {

struct PatternToken {
  enum class Kind : std::uint8_t {
    kEnd,
    kUnknown,  ///< Not understood, nor is anything after it.
    kOneOf,    ///< Matches one of `bytes[0..count)`.
    kOpaque,   ///< Matches anything, or nothing.
    kNothing,  ///< Matches nothing, somewhere: an anchor, a word's border, a change of options.
    kOpenGroup,
    kOpenCapture,  ///< As kOpenGroup, and gets a number.
    kOpenLook,     ///< What is inside matches nothing: a lookahead or lookbehind.
    kClose,
    kAlternate,
    kRepeat,  ///< What is before it `min` to `max` times.
  };
  static constexpr std::uint32_t kNoMax = 0xFFFFFFFF;

  Kind kind = Kind::kEnd;
  std::uint8_t count = 0;
  std::array<char, 4> bytes = {};
  std::uint32_t min = 0;
  std::uint32_t max = 0;

  static PatternToken of(Kind kind) { return {.kind = kind}; }
  static PatternToken byte(char c) { return {.kind = Kind::kOneOf, .count = 1, .bytes = {c}}; }
  static PatternToken repeat(std::uint32_t min, std::uint32_t max) {
    return {.kind = Kind::kRepeat, .min = min, .max = max};
  }
};

/// Takes tokens off the front of a pattern, whose text must outlive it.
class PatternLexer {
 public:
  virtual ~PatternLexer() = default;

  /// The next token; kEnd or kUnknown is the last.
  virtual PatternToken next() = 0;

  /// False once a token was given of which the lexer cannot tell that the engine accepts it here.
  bool is_certain() const { return is_certain_; }

 protected:
  explicit PatternLexer(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  /// The character `ahead` places on; NUL, which no pattern has, beyond the end.
  char peek(std::size_t ahead = 0) const { return ahead < rest_.size() ? rest_[ahead] : '\0'; }
  void skip(std::size_t count) { rest_.remove_prefix(count); }
  char take() {
    const char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }

  /// Takes the rest of "[...]", after the '['. Backslashes escape only if `has_escapes` is set.
  PatternToken take_bracket(bool has_escapes);

  /// Takes "n}", "n,}" or "n,m}", as `close` has the brace. kUnknown for anything else, and for repeats that
  /// an engine may find too many.
  PatternToken take_interval(std::string_view close);

  std::string_view rest_;
  bool is_certain_ = true;
};

/// The byte that PCRE's `\t`, `\n`... stand for, or NUL.
char pcre_escaped_byte(char letter);

}  // namespace libmaps
