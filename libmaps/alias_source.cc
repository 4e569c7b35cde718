#include "libmaps/alias_source.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "libconf/text.h"

namespace libmaps {
namespace {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

/// A set of characters, by their values.
using CharacterSet = std::array<bool, 256>;
constexpr CharacterSet set_of(std::string_view characters) {
  CharacterSet set{};
  for (const unsigned char c : characters) set[c] = true;
  return set;
}
bool is_in(const CharacterSet& set, char c) { return set[static_cast<unsigned char>(c)]; }

/// What ends an atom: white space, RFC 822's specials, and the separators of old routes and of commands,
/// which postalias treats alike.
constexpr CharacterSet kEndsAtom = set_of("()<>@,;:\\\".[]!%| \t\n\v\f\r");
bool ends_atom(char c) { return is_in(kEndsAtom, c); }

/// What cannot be in a word that is stored as it is written. Other specials stand between atoms without
/// blanks.
constexpr CharacterSet kEndsPlainWord = set_of("()<>,;\\\"[] \t\n\v\f\r");
constexpr CharacterSet kEndsPlainName = set_of(":@()<>,;\\\"[] \t\n\v\f\r");

enum class TokenKind : std::uint8_t { kAtom, kQuotedString, kComment, kDomainLiteral, kSpecial };

struct Token {
  TokenKind kind = TokenKind::kSpecial;
  std::string text;  ///< Without its delimiters and backslashes; a comment is kept as it is.

  bool is(char special) const { return kind == TokenKind::kSpecial && text[0] == special; }
  /// Two of them in a row need a blank in between.
  bool is_word() const { return kind != TokenKind::kSpecial; }
};

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : rest_(text) {}

  /// The next token; false at the end.
  bool next(Token& token) {
    rest_ = libconf::trim_left(rest_);
    if (rest_.empty()) return false;
    token.text.clear();
    switch (rest_[0]) {
      case '"':
        token.kind = TokenKind::kQuotedString;
        take_delimited(token.text, '"');
        break;
      case '[':
        token.kind = TokenKind::kDomainLiteral;
        take_delimited(token.text, ']');
        break;
      case '(':
        token.kind = TokenKind::kComment;
        take_comment(token.text);
        break;
      default:
        if (ends_atom(rest_[0]) && rest_[0] != '\\') {
          token.kind = TokenKind::kSpecial;
          token.text.assign(1, rest_[0]);
          rest_.remove_prefix(1);
        } else {
          token.kind = TokenKind::kAtom;
          take_atom(token.text);
        }
    }
    return true;
  }

 private:
  /// What a missing end of line means for a token that needs an end: it ends there.
  void take_delimited(std::string& text, char end) {
    rest_.remove_prefix(1);
    while (!rest_.empty() && rest_[0] != end) {
      take_char(text);
      if (text.ends_with('\r')) text.back() = ' ';
    }
    if (!rest_.empty()) rest_.remove_prefix(1);
  }

  void take_comment(std::string& text) {
    std::size_t depth = 0;
    std::size_t i = 0;
    for (; i < rest_.size(); ++i) {
      if (rest_[i] == '\\') {
        ++i;
      } else if (rest_[i] == '(') {
        ++depth;
      } else if (rest_[i] == ')' && --depth == 0) {
        ++i;
        break;
      }
    }
    text.assign(rest_, 0, i);
    rest_.remove_prefix(text.size());
  }

  void take_atom(std::string& text) {
    for (;;) {
      const auto end = std::find_if(rest_.begin(), rest_.end(), ends_atom);
      const auto plain = static_cast<std::size_t>(end - rest_.begin());
      text += rest_.substr(0, plain);
      rest_.remove_prefix(plain);
      if (rest_.empty() || rest_[0] != '\\') return;
      take_char(text);
    }
  }

  /// One character, or the one behind a backslash.
  void take_char(std::string& text) {
    if (rest_[0] == '\\') rest_.remove_prefix(1);
    if (rest_.empty()) return;
    text += rest_[0];
    rest_.remove_prefix(1);
  }

  std::string_view rest_;
};

/// Appends `text` between `open` and `close`; a backslash keeps apart what `escaped` names.
void append_delimited(std::string& out, char open, std::string_view text, char close,
                      std::string_view escaped) {
  out += open;
  for (char c : text) {
    if (escaped.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  out += close;
}

bool needs_quotes(std::string_view atom) { return std::any_of(atom.begin(), atom.end(), ends_atom); }

void append(std::string& out, const Token& token) {
  switch (token.kind) {
    case TokenKind::kQuotedString:
      return append_delimited(out, '"', token.text, '"', "\"\\");
    case TokenKind::kDomainLiteral:
      return append_delimited(out, '[', token.text, ']', "\\");
    case TokenKind::kAtom:
      if (needs_quotes(token.text)) return append_delimited(out, '"', token.text, '"', "\"\\");
      break;
    case TokenKind::kComment:
    case TokenKind::kSpecial:
      break;
  }
  out += token.text;
}

/// Writes tokens one after the other, with the blanks that keep words apart and follow commas.
class Writer {
 public:
  void add(const Token& token) {
    const bool opens_route = token.is('<') && !is_empty_ && !after_comma_;
    if ((after_word_ && token.is_word()) || opens_route) text_ += ' ';
    append(text_, token);
    after_comma_ = token.is(',');
    if (after_comma_) text_ += ' ';
    after_word_ = token.is_word();
    is_empty_ = false;
  }

  bool is_empty() const { return is_empty_; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  bool after_word_ = false;
  bool after_comma_ = false;
  bool is_empty_ = true;
};

Error syntax_error(std::string_view message) {
  return {.kind = ErrorKind::kSyntax, .message = std::string(message)};
}

/// Takes what comes before the first character of `ends` off the front of `text`.
std::string_view take_until(std::string_view& text, const CharacterSet& ends) {
  std::size_t size = 0;
  while (size < text.size() && !is_in(ends, text[size])) ++size;
  const std::string_view taken = text.substr(0, size);
  text.remove_prefix(size);
  return taken;
}

}  // namespace

std::optional<PlainAliasLine> parse_plain_alias_line(std::string_view text) {
  PlainAliasLine line;
  line.name = take_until(text, kEndsPlainName);
  if (line.name.empty() || !text.starts_with(':')) return std::nullopt;
  text = libconf::trim_left(text.substr(1));
  line.value = take_until(text, kEndsPlainWord);
  if (line.value.empty() || !libconf::trim_left(text).empty()) return std::nullopt;
  return line;
}

Result<AliasLine> parse_alias_line(std::string_view text) {
  constexpr std::string_view kNeedPair = "need name:value pair";
  Tokenizer tokens(text);
  Token token;
  Writer name;
  bool has_domain = false;
  bool is_list = false;
  bool has_colon = false;
  while (!has_colon && tokens.next(token)) {
    if (token.is(':')) {
      has_colon = true;
      break;
    }
    has_domain |= token.is('@');
    is_list |= token.is(',');
    name.add(token);
  }
  Writer value;
  while (tokens.next(token)) value.add(token);
  if (!has_colon || name.is_empty() || value.is_empty() || is_list) return syntax_error(kNeedPair);
  if (has_domain) return syntax_error("name must be local and have no domain");
  return AliasLine{.name = name.take(), .value = value.take()};
}

}  // namespace libmaps
