#include "tools/mta/address/address_tokens.h"

#include <algorithm>
#include <array>
#include <optional>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::kBlanks;

constexpr std::string_view kSpecials = "()<>@,;:.[]\\\"";
constexpr std::string_view kOperators = "!%";

bool is_one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < ' ' || byte == 0x7F;
}

constexpr std::array<bool, 256> kAtomChars = [] {
  std::array<bool, 256> table{};
  table.fill(true);
  for (const std::string_view set : {kSpecials, kOperators, kBlanks})
    for (const char c : set) table[static_cast<unsigned char>(c)] = false;
  return table;
}();

bool is_atom_char(char c) { return kAtomChars[static_cast<unsigned char>(c)]; }

/// Takes tokens off the front of a text.
class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : rest_(text) {}

  std::optional<AddressToken> next() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlanks), rest_.size()));
    if (rest_.empty()) return std::nullopt;
    switch (rest_[0]) {
      case '(':
        return AddressToken{TokenKind::kComment, take_comment()};
      case '"':
        return AddressToken{TokenKind::kQuoted, take_enclosed('"')};
      case '[':
        return AddressToken{TokenKind::kLiteral, take_enclosed(']')};
      default:
        break;
    }
    if (is_atom_char(rest_[0]) || rest_[0] == '\\') return AddressToken{TokenKind::kAtom, take_atom()};
    AddressToken token{TokenKind::kSpecial, std::string(1, rest_[0])};
    rest_.remove_prefix(1);
    return token;
  }

 private:
  std::string take_comment() {
    std::string text;
    int depth = 0;
    do {
      const char c = take();
      text += c;
      if (c == '\\' && !rest_.empty()) text += take();
      if (c == '(') ++depth;
      if (c == ')') --depth;
    } while (depth > 0 && !rest_.empty());
    return text;
  }

  std::string take_enclosed(char end) {
    std::string text;
    take();
    while (!rest_.empty()) {
      char c = take();
      if (c == end) break;
      if (c == '\\') {
        if (rest_.empty()) break;
        c = take();
      }
      text += is_one_of(c, kBlanks) ? ' ' : c;
    }
    return text;
  }

  std::string take_atom() {
    std::string text;
    while (!rest_.empty() && (is_atom_char(rest_[0]) || rest_[0] == '\\')) {
      char c = take();
      if (c == '\\') {
        if (rest_.empty()) break;
        c = take();
      }
      text += is_one_of(c, kBlanks) ? ' ' : c;
    }
    return text;
  }

  char take() {
    const char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }

  std::string_view rest_;
};

bool needs_quotes(std::string_view atom) {
  for (const char c : atom)
    if (!is_atom_char(c) || is_control(c)) return true;
  return false;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

}  // namespace

std::vector<AddressToken> address_tokens(std::string_view text, std::size_t limit) {
  std::vector<AddressToken> tokens;
  Tokenizer tokenizer(text);
  while (tokens.size() < limit) {
    std::optional<AddressToken> token = tokenizer.next();
    if (!token) break;
    tokens.push_back(std::move(*token));
  }
  return tokens;
}

std::string token_text(const AddressToken& token, TokenForm form) {
  if (token.kind == TokenKind::kLiteral) return concat("[", token.text, "]");
  const bool is_quotable =
      token.kind == TokenKind::kQuoted || (token.kind == TokenKind::kAtom && needs_quotes(token.text));
  return form == TokenForm::kExternal && is_quotable ? quoted(token.text) : token.text;
}

bool needs_blank(const AddressToken& before, const AddressToken& after) {
  return (before.is_word() && after.is_word()) || before.is_special(',') || after.is_special('<');
}

std::string spaced_text(std::span<const AddressToken> tokens, TokenForm form) {
  std::string out;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0 && needs_blank(tokens[i - 1], tokens[i])) out += ' ';
    out += token_text(tokens[i], form);
  }
  return out;
}

}  // namespace mta
