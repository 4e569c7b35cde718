#include "tools/mta/address/header_address.h"

#include <algorithm>
#include <span>
#include <utility>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"

namespace mta {
namespace {

using libconf::Result;

/// A header is a row of these.
struct HeaderPart {
  enum class Kind {
    kToken,       ///< Part of a phrase, or punctuation.
    kAddress,     ///< An address, with the comments inside it.
    kGroupColon,  ///< The colon behind the name of a group.
  };
  Kind kind = Kind::kToken;
  std::vector<AddressToken> tokens;  ///< One, or those of an address in order.
};

/// Divides a header from its end to its start, as it is clear only from the end what a word belongs to: the
/// phrase before an address in angle brackets, the name of a group, or an address of its own.
class HeaderDivider {
 public:
  explicit HeaderDivider(std::vector<AddressToken> tokens) : tokens_(std::move(tokens)) {}

  std::vector<HeaderPart> parts() {
    while (!tokens_.empty()) {
      if (last().is_special('>'))
        take_angle_address();
      else if (last().is_special(','))
        take_token();
      else if (last().is_special(';'))
        take_group_end();
      else if (is_group_colon())
        take_group_name();
      else
        take_bare_address();
    }
    std::reverse(parts_.begin(), parts_.end());
    return std::move(parts_);
  }

 private:
  const AddressToken& last() const { return tokens_.back(); }
  bool is_group_colon() const { return is_in_group_ && last().is_special(':'); }

  AddressToken take() {
    AddressToken token = std::move(tokens_.back());
    tokens_.pop_back();
    return token;
  }
  void add(HeaderPart::Kind kind, AddressToken token) {
    HeaderPart part{kind, {}};
    part.tokens.push_back(std::move(token));
    parts_.push_back(std::move(part));
  }
  void take_token() { add(HeaderPart::Kind::kToken, take()); }
  void add_address(std::vector<AddressToken> reversed) {
    std::reverse(reversed.begin(), reversed.end());
    parts_.push_back({HeaderPart::Kind::kAddress, std::move(reversed)});
  }

  void take_group_end() {
    take_token();
    is_in_group_ = true;
  }

  void take_group_name() {
    add(HeaderPart::Kind::kGroupColon, take());
    while (!tokens_.empty() && !last().is_special(',')) take_token();
  }

  /// `phrase <address>`; without the '<', all that is left is the address.
  void take_angle_address() {
    take_token();
    std::vector<AddressToken> address;
    while (!tokens_.empty() && !last().is_special('<')) address.push_back(take());
    add_address(std::move(address));
    if (tokens_.empty()) return;
    take_token();
    while (!tokens_.empty() && !ends_phrase()) take_token();
    // A colon that ends a phrase is not part of an address before it.
    if (!tokens_.empty() && last().is_special(':') && !is_in_group_) take_token();
  }

  bool ends_phrase() const {
    return std::any_of(kPhraseEnds.begin(), kPhraseEnds.end(), [&](char c) { return last().is_special(c); });
  }

  /// An address without angle brackets. Two words without an operator between them are two addresses.
  void take_bare_address() {
    std::vector<AddressToken> address;
    bool has_content = false;
    bool is_after_word = false;
    while (!tokens_.empty() && !ends_bare_address()) {
      const bool is_comment = last().kind == TokenKind::kComment;
      const bool is_word = last().is_word() && !is_comment;
      if (is_word && is_after_word) break;
      if (!is_comment) {
        has_content = true;
        is_after_word = is_word;
      }
      address.push_back(take());
    }
    if (!has_content) {
      for (AddressToken& comment : address) add(HeaderPart::Kind::kToken, std::move(comment));
      return;
    }
    add_address(std::move(address));
    if (!tokens_.empty() && !last().is_special(',') && !is_group_colon())
      add(HeaderPart::Kind::kToken, {TokenKind::kSpecial, ","});
  }

  bool ends_bare_address() const {
    return last().is_special(',') || last().is_special(';') || last().is_special('>') || is_group_colon();
  }

  static constexpr std::string_view kPhraseEnds = ",;:>";

  std::vector<AddressToken> tokens_;
  std::vector<HeaderPart> parts_;  ///< From the end.
  bool is_in_group_ = false;       ///< Some group ends further on; it may have begun already.
};

/// The address itself: no comments, and no blanks but those behind commas.
std::string address_text(std::span<const AddressToken> tokens) {
  std::string out;
  for (const AddressToken& token : tokens) {
    if (token.kind == TokenKind::kComment) continue;
    out += token_text(token, TokenForm::kExternal);
    if (token.is_special(',')) out += ' ';
  }
  return out;
}

/// Writes parts. Lines are folded behind commas, and in comments where they were before.
class HeaderWriter {
 public:
  explicit HeaderWriter(std::size_t first_line_length) : line_length_(first_line_length) {}

  /// A token, or an address with what stands for it: `text`.
  void write(const AddressToken& first, const AddressToken& last, std::string_view text) {
    if (has_previous_ && needs_blank(previous_, first) && !previous_.is_special(',')) piece_ += ' ';
    for (std::size_t newline; (newline = text.find('\n')) != std::string_view::npos;) {
      piece_ += text.substr(0, newline);
      end_piece();
      text.remove_prefix(newline + 1);
    }
    piece_ += text;
    previous_ = last;
    has_previous_ = true;
    if (first.is_special(',')) end_piece();
  }

  void write_group_colon(const AddressToken& colon) {
    piece_ += ": ";
    previous_ = colon;
    has_previous_ = false;
  }

  std::string finish() {
    end_piece();
    return std::move(out_);
  }

 private:
  /// Lines have at most this many characters, where they can be broken; the tab ahead of a line does not
  /// count.
  static constexpr std::size_t kLineLength = 69;

  void end_piece() {
    if (is_first_piece_) {
      is_first_piece_ = false;
      line_length_ += piece_.size();
    } else if (line_length_ + 1 + piece_.size() <= kLineLength) {
      out_ += ' ';
      line_length_ += 1 + piece_.size();
    } else {
      out_ += libconf::kBlanks.find(piece_[0]) == std::string_view::npos ? "\n\t" : "\n";
      line_length_ = piece_.size();
    }
    out_ += piece_;
    piece_.clear();
  }

  std::string out_;
  std::string piece_;  ///< What came after the last comma, or the last newline in a comment.
  bool is_first_piece_ = true;
  std::size_t line_length_;
  AddressToken previous_;
  bool has_previous_ = false;
};

/// An address in the form that Postfix writes.
std::string written(std::string_view address) {
  const std::string internal = spaced_text(address_tokens(address), TokenForm::kInternal);
  return internal.empty() ? "\"\"" : quote_address(internal);
}

/// An address with its comments behind it.
std::string with_comments(std::string text, std::span<const AddressToken> tokens) {
  for (const AddressToken& token : tokens) {
    if (token.kind != TokenKind::kComment) continue;
    if (!text.empty()) text += ' ';
    text += token.text;
  }
  return text;
}

/// Stands for an address where blanks are decided: it begins and ends with a word.
const AddressToken kAnyWord{TokenKind::kAtom, {}};

}  // namespace

std::vector<std::string> header_addresses(std::string_view value, std::size_t token_limit) {
  std::vector<std::string> addresses;
  for (const HeaderPart& part : HeaderDivider(address_tokens(value, token_limit)).parts()) {
    if (part.kind != HeaderPart::Kind::kAddress) continue;
    std::string address = address_text(part.tokens);
    if (!address.empty()) addresses.push_back(std::move(address));
  }
  return addresses;
}

Result<std::optional<std::string>> rewrite_header_addresses(std::string_view name, std::string_view value,
                                                            std::size_t token_limit,
                                                            const AddressRewriter& rewrite) {
  HeaderWriter writer(name.size() + 2);
  bool is_changed = false;
  for (const HeaderPart& part : HeaderDivider(address_tokens(value, token_limit)).parts()) {
    switch (part.kind) {
      case HeaderPart::Kind::kGroupColon:
        writer.write_group_colon(part.tokens[0]);
        break;
      case HeaderPart::Kind::kToken:
        writer.write(part.tokens[0], part.tokens[0], token_text(part.tokens[0], TokenForm::kExternal));
        break;
      case HeaderPart::Kind::kAddress: {
        std::string address = address_text(part.tokens);
        if (!address.empty()) {
          Result<std::string> rewritten = rewrite(address);
          if (!rewritten) return rewritten.error();
          is_changed = is_changed || *rewritten != address;
          address = written(*rewritten);
        }
        const std::string text = with_comments(std::move(address), part.tokens);
        if (!text.empty()) writer.write(kAnyWord, kAnyWord, text);
        break;
      }
    }
  }
  if (!is_changed) return std::optional<std::string>();
  return std::optional<std::string>(writer.finish());
}

}  // namespace mta
