#include "tools/mta/content/content_type.h"

#include <array>
#include <cstddef>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::equals_ignoring_case;
using libconf::kBlanks;

/// RFC 2045's tspecials. Each is a token of its own.
constexpr std::string_view kSpecials = "()<>@,;:\\\"/[]?=";

bool is_blank(char c) { return kBlanks.find(c) != std::string_view::npos; }

bool is_word_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > ' ' && byte != 0x7F && kSpecials.find(c) == std::string_view::npos;
}

enum class TokenKind { kNone, kWord, kQuoted, kSpecial };

struct Token {
  TokenKind kind = TokenKind::kNone;
  std::string text;

  bool is_word(std::string_view word) const {
    return kind == TokenKind::kWord && equals_ignoring_case(text, word);
  }
  bool is_special(char c) const { return kind == TokenKind::kSpecial && text[0] == c; }
};

/// Takes tokens off the front of a header's value.
class Tokenizer {
 public:
  explicit Tokenizer(std::string_view value) : rest_(value) {}

  bool is_at_end() const { return rest_.empty(); }

  Token next() {
    skip_blanks_and_comments();
    if (rest_.empty()) return {};
    if (rest_[0] == '"') return {TokenKind::kQuoted, take_quoted()};
    std::size_t length = 0;
    while (length < rest_.size() && is_word_char(rest_[length])) ++length;
    const TokenKind kind = length > 0 ? TokenKind::kWord : TokenKind::kSpecial;
    if (length == 0) length = 1;
    Token token{kind, std::string(rest_.substr(0, length))};
    rest_.remove_prefix(length);
    return token;
  }

 private:
  void skip_blanks_and_comments() {
    int depth = 0;
    for (; !rest_.empty(); rest_.remove_prefix(1)) {
      const char c = rest_[0];
      if (c == '(') {
        ++depth;
      } else if (depth == 0) {
        if (!is_blank(c)) return;
      } else if (c == ')') {
        --depth;
      } else if (c == '\\' && rest_.size() > 1) {
        rest_.remove_prefix(1);
      }
    }
  }

  /// A fold inside quotes is undone: the newline goes, and the blanks before it.
  std::string take_quoted() {
    std::string text;
    rest_.remove_prefix(1);
    for (; !rest_.empty(); rest_.remove_prefix(1)) {
      char c = rest_[0];
      if (c == '"') {
        rest_.remove_prefix(1);
        break;
      }
      if (c == '\n') {
        text.erase(text.find_last_not_of(kBlanks) + 1);
        continue;
      }
      if (c == '\\') {
        rest_.remove_prefix(1);
        if (rest_.empty()) break;
        c = rest_[0];
      }
      text += c;
    }
    return text;
  }

  std::string_view rest_;
};

/// The first three tokens up to the next semicolon: "type/subtype" or "name=value", which is all that counts.
std::array<Token, 3> take_parameter(Tokenizer& tokens) {
  std::array<Token, 3> parameter;
  std::size_t count = 0;
  for (;;) {
    Token token = tokens.next();
    if (token.kind == TokenKind::kNone || token.is_special(';')) return parameter;
    if (count < parameter.size()) parameter[count++] = std::move(token);
  }
}

void take_boundaries(Tokenizer& tokens, std::vector<std::string>& boundaries) {
  while (!tokens.is_at_end()) {
    auto [name, equals, value] = take_parameter(tokens);
    if (name.is_word("boundary") && equals.is_special('=') && value.kind != TokenKind::kNone)
      boundaries.push_back(std::move(value.text));
  }
}

}  // namespace

ContentType parse_content_type(std::string_view value) {
  Tokenizer tokens(value);
  const auto [type, slash, subtype] = take_parameter(tokens);
  const auto is_subtype = [&, &slash_ = slash, &subtype_ = subtype](std::string_view word) {
    return slash_.is_special('/') && subtype_.is_word(word);
  };
  if (type.kind == TokenKind::kNone || type.is_word("text")) return {.type = MediaType::kText};
  if (type.is_word("message")) {
    if (is_subtype("rfc822"))
      return {.type = MediaType::kMessage, .encoding_rule = EncodingRule::kIdentity, .is_identity = true};
    if (is_subtype("global")) return {.type = MediaType::kMessage};
    const bool is_7bit = is_subtype("partial") || is_subtype("external-body");
    return {.type = MediaType::kText,
            .encoding_rule = is_7bit ? EncodingRule::k7Bit : EncodingRule::kAny,
            .is_identity = true};
  }
  if (!type.is_word("multipart")) return {};
  ContentType content{.type = MediaType::kMultipart,
                      .encoding_rule = EncodingRule::kIdentity,
                      .is_digest = is_subtype("digest"),
                      .is_identity = true};
  take_boundaries(tokens, content.boundaries);
  return content;
}

std::string first_word(std::string_view value) {
  Token token = Tokenizer(value).next();
  return token.kind == TokenKind::kWord ? std::move(token.text) : std::string();
}

}  // namespace mta
