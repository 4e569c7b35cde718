/// The tokens of addresses and of headers with addresses (RFC 5322, section 3.2), in a form that takes any
/// bytes.
///
///     std::vector<AddressToken> tokens = address_tokens("Joe <joe@example.com> (at home)");
///     std::string same = spaced_text(tokens, TokenForm::kExternal);
///
/// All functions are pure and thread-safe. Nothing is an error: a quoted string or a literal that is not
/// closed is closed, a comment that is not closed stays as it is, and a backslash at the end is dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mta {

enum class TokenKind : std::uint8_t {
  kAtom,     ///< Its text is without the backslashes.
  kQuoted,   ///< A quoted string: what is inside the quotes, without the backslashes.
  kLiteral,  ///< A domain literal: what is inside the brackets.
  kComment,  ///< All of it, with its parentheses, backslashes and newlines.
  kSpecial,  ///< One of ()<>@,;:.]!% by itself.
};

struct AddressToken {
  TokenKind kind = TokenKind::kAtom;
  std::string text;

  bool is_special(char c) const { return kind == TokenKind::kSpecial && text[0] == c; }
  /// A word in the sense that two of them need something between them.
  bool is_word() const { return kind != TokenKind::kSpecial; }
  friend bool operator==(const AddressToken&, const AddressToken&) = default;
};

inline constexpr std::size_t kUnlimitedTokens = std::numeric_limits<std::size_t>::max();

/// The first `limit` tokens of `text`. What comes later is not looked at (header_address_token_limit).
std::vector<AddressToken> address_tokens(std::string_view text, std::size_t limit = kUnlimitedTokens);

enum class TokenForm : std::uint8_t {
  kExternal,  ///< Quoted strings have their quotes, and atoms too that need them now.
  kInternal,  ///< No quotes.
};

/// One token by itself.
std::string token_text(const AddressToken& token, TokenForm form);

/// The tokens with blanks where Postfix writes them: between words, behind a comma, before '<'.
std::string spaced_text(std::span<const AddressToken> tokens, TokenForm form);

/// Whether a blank goes between two tokens that are printed one after the other.
bool needs_blank(const AddressToken& before, const AddressToken& after);

}  // namespace mta
