#include "libmaps/sql_union.h"

#include <algorithm>
#include <array>

#include "libconf/text.h"

namespace libmaps {
namespace {

using libconf::equals_ignoring_case;

constexpr std::string_view kSelect = "SELECT";

/// Words that make a query something else than rows of its own, wherever they stand.
constexpr auto kForbidden = std::to_array<std::string_view>(
    {"ALL",       "DISTINCT",  "DISTINCTROW", "EXAMINED", "EXCEPT", "FETCH",  "FOR",    "GROUP",
     "HAVING",    "INTERSECT", "INTO",        "LOCK",     "MINUS",  "ORDER",  "OVER",   "PROCEDURE",
     "RETURNING", "ROWNUM",    "ROWS",        "UNION",    "VALUE",  "VALUES", "WINDOW", "WITH"});

/// Words that may stand before '(': the grammar's own, and functions that depend on their arguments alone.
constexpr auto kBeforeParenthesis = std::to_array<std::string_view>({"AND",       "ANY",
                                                                     "AS",        "BETWEEN",
                                                                     "BINARY",    "CASE",
                                                                     "CAST",      "CHAR_LENGTH",
                                                                     "CHAR",      "COALESCE",
                                                                     "CONCAT",    "CONCAT_WS",
                                                                     "CONVERT",   "COUNT",
                                                                     "ELSE",      "EXISTS",
                                                                     "FROM",      "HEX",
                                                                     "IF",        "IFNULL",
                                                                     "IN",        "INDEX",
                                                                     "INSTR",     "JOIN",
                                                                     "KEY",       "LCASE",
                                                                     "LEFT",      "LENGTH",
                                                                     "LIKE",      "LOCATE",
                                                                     "LOWER",     "LTRIM",
                                                                     "MAX",       "MIN",
                                                                     "NOT",       "NULLIF",
                                                                     "ON",        "OR",
                                                                     "REPLACE",   "REVERSE",
                                                                     "RIGHT",     "RTRIM",
                                                                     "SELECT",    "SUBSTR",
                                                                     "SUBSTRING", "SUBSTRING_INDEX",
                                                                     "THEN",      "TRIM",
                                                                     "UCASE",     "UPPER",
                                                                     "USING",     "VARCHAR",
                                                                     "WHEN",      "WHERE"});

template <std::size_t N>
bool has(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::any_of(words.begin(), words.end(),
                     [word](std::string_view other) { return equals_ignoring_case(other, word); });
}

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

/// Reads a template from its start to its end, and stops where it is not what a branch may have.
class SelectReader {
 public:
  explicit SelectReader(std::string_view text) : text_(text) {}

  std::optional<JoinableSelect> read() {
    skip_blanks();
    if (!equals_ignoring_case(take_word(), kSelect) || !at_blank()) return std::nullopt;
    const std::size_t start = position_;
    skip_blanks();
    if (at('*')) return std::nullopt;  // A column before it makes it a syntax error.
    select_.rest_ = text_.substr(start, position_ - start);
    while (position_ < text_.size())
      if (!take()) return std::nullopt;
    if (depth_ != 0 || !has_from_) return std::nullopt;
    return std::move(select_);
  }

 private:
  bool take() {
    const std::size_t start = position_;
    if (at('\'')) return take_string();
    if (!take_token()) return false;
    const std::string_view token = text_.substr(start, position_ - start);
    select_.rest_ += token == "%%" ? "%" : token;
    return true;
  }

  bool take_token() {
    const char c = text_[position_];
    if (is_word_char(c)) return accepts_word(take_word());
    ++position_;
    // Blanks, and operators that are no part of a comment ("--") or of a variable.
    constexpr std::string_view kHarmless = " \t\r\n=<>!+*,.|&^~";
    if (kHarmless.find(c) != std::string_view::npos) return true;
    switch (c) {
      case '`':
        return take_name();
      case '(':
        ++depth_;
        return may_open_;
      case ')':
        return --depth_ >= 0;
      case '-':
        return !at('-');
      case '/':
        return !at('*');
      case '%':
        return at('%') && ++position_ > 0;
      default:
        return false;
    }
  }

  bool accepts_word(std::string_view word) {
    const bool is_qualified = position_ > word.size() && text_[position_ - word.size() - 1] == '.';
    const std::size_t next = text_.find_first_not_of(" \t\r\n", position_);
    may_open_ = next == std::string_view::npos || text_[next] != '(' ||
                (!is_qualified && has(kBeforeParenthesis, word));
    if (depth_ == 0 && equals_ignoring_case(word, "FROM")) has_from_ = true;
    return may_open_ && !has(kForbidden, word);
  }

  /// A text in '' quotes, which becomes a parameter when the key is in it. Whether a backslash escapes
  /// depends on the server's sql_mode.
  bool take_string() {
    std::string literal = "'";
    std::string parameter;
    bool has_key = false;
    while (++position_ < text_.size()) {
      const char c = text_[position_];
      if (c == '\\' || c == ';') return false;
      const std::string_view pair = text_.substr(position_, 2);
      if (c == '\'' && pair != "''") break;
      has_key = has_key || (c == '%' && pair != "%%");
      const bool is_pair = c == '\'' || c == '%';
      literal += pair == "%%" ? "%" : pair.substr(0, is_pair ? 2 : 1);
      parameter += c == '%' ? pair : pair.substr(0, 1);
      if (is_pair) ++position_;
    }
    if (position_ >= text_.size() || (has_key && !has_from_)) return false;
    ++position_;
    select_.rest_ += has_key ? "?" : literal + "'";
    if (has_key) select_.parameters_.push_back(std::move(parameter));
    return true;
  }

  /// The rest of a name in `` quotes.
  bool take_name() {
    const std::size_t end = text_.find('`', position_);
    if (end == std::string_view::npos) return false;
    const std::string_view name = text_.substr(position_, end - position_);
    position_ = end + 1;
    const std::size_t next = text_.find_first_not_of(" \t\r\n", position_);
    return name.find_first_of("'\"\\;%@#") == std::string_view::npos &&
           (next == std::string_view::npos || text_[next] != '(');
  }

  std::string_view take_word() {
    const std::size_t start = position_;
    while (position_ < text_.size() && is_word_char(text_[position_])) ++position_;
    return text_.substr(start, position_ - start);
  }

  void skip_blanks() {
    while (at_blank()) ++position_;
  }
  bool at_blank() const { return position_ < text_.size() && libconf::is_space(text_[position_]); }
  bool at(char c) const { return position_ < text_.size() && text_[position_] == c; }

  std::string_view text_;
  std::size_t position_ = 0;
  int depth_ = 0;
  bool has_from_ = false;  ///< Outside of parentheses.
  bool may_open_ = true;   ///< What came last may be before a '('.
  JoinableSelect select_;
};

std::optional<JoinableSelect> JoinableSelect::parse(std::string_view query) {
  return SelectReader(query).read();
}

std::string JoinableSelect::join(std::size_t branches, std::size_t columns) const {
  std::string joined;
  // Within parentheses, a LIMIT is the branch's own.
  for (std::size_t i = 0; i < branches; ++i)
    joined += libconf::concat("(", kSelect, " ", std::to_string(i), ",", rest_, ") UNION ALL ");
  joined += libconf::concat("(", kSelect, " ", std::to_string(branches));
  for (std::size_t i = 0; i < columns; ++i) joined += ",NULL";
  return joined + ')';
}

}  // namespace libmaps
