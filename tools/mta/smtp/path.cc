#include "tools/mta/smtp/path.h"

#include <algorithm>
#include <vector>

#include "libconf/idna.h"
#include "libconf/text.h"
#include "libmaps/ip_address.h"
#include "tools/mta/address/domain_syntax.h"

namespace mta {

namespace {

enum class TokenKind { kAtom, kQuoted, kLiteral, kComment, kSpecial };

struct Token {
  TokenKind kind;
  std::string text;  ///< Without quotes and backslashes; a literal with its brackets.

  bool is_special(char c) const { return kind == TokenKind::kSpecial && text[0] == c; }
  bool is_word() const {
    return kind == TokenKind::kAtom || kind == TokenKind::kQuoted || kind == TokenKind::kLiteral;
  }
};

using Tokens = std::vector<Token>;

/// Before an address of IPv6 (RFC 5321, section 4.1.3).
constexpr std::string_view kIpv6 = "IPv6:";

constexpr std::string_view kSpecials = "<>@,;:.)]";
constexpr std::string_view kAtomEnds = "<>@,;:.)]([\"";

/// Divides text into the tokens of RFC 822, section 3.3. What is open at the end of the text is closed there.
class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : rest_(text) {}

  Tokens run() {
    Tokens tokens;
    while (skip_space()) tokens.push_back(next());
    return tokens;
  }

 private:
  bool skip_space() {
    rest_ = libconf::trim_left(rest_);
    return !rest_.empty();
  }

  Token next() {
    const char first = rest_.front();
    if (first == '"') return {TokenKind::kQuoted, enclosed('"')};
    if (first == '[') return {TokenKind::kLiteral, libconf::concat("[", enclosed(']'), "]")};
    if (first == '(') return comment();
    if (kSpecials.find(first) != std::string_view::npos) {
      rest_.remove_prefix(1);
      return {TokenKind::kSpecial, std::string(1, first)};
    }
    return atom();
  }

  /// Moves one character to `text`; a backslash before it is no part of it, nor is one at the end.
  void take(std::string& text) {
    if (rest_.front() == '\\') rest_.remove_prefix(1);
    if (rest_.empty()) return;
    text += rest_.front();
    rest_.remove_prefix(1);
  }

  std::string enclosed(char closing) {
    std::string text;
    rest_.remove_prefix(1);
    while (!rest_.empty() && rest_.front() != closing) take(text);
    if (!rest_.empty()) rest_.remove_prefix(1);
    return text;
  }

  Token comment() {
    int depth = 0;
    std::string dropped;
    do {
      if (rest_.front() == '(') ++depth;
      if (rest_.front() == ')') --depth;
      take(dropped);
    } while (depth > 0 && !rest_.empty());
    return {TokenKind::kComment, {}};
  }

  Token atom() {
    std::string text;
    while (!rest_.empty() && !libconf::is_space(rest_.front()) &&
           kAtomEnds.find(rest_.front()) == std::string_view::npos) {
      take(text);
    }
    return {TokenKind::kAtom, text};
  }

  std::string_view rest_;
};

/// Finds the addresses of a list of tokens, from the right as Postfix does: what stands to the left of an
/// address in angle brackets is its phrase; a colon means a group only where a semicolon ends it. Words side
/// by side are no address, but Postfix takes them together in angle brackets.
class AddressFinder {
 public:
  explicit AddressFinder(Tokens tokens) : tokens_(std::move(tokens)) {}

  /// The address; empty when there is none. Nothing: several, or words side by side.
  std::optional<std::string> run() {
    while (!tokens_.empty()) {
      step(tokens_.back());
      tokens_.pop_back();
    }
    end_address();
    if (count_ > 1 || is_malformed_) return std::nullopt;
    return address_;
  }

  /// There is something that strict_rfc821_envelopes refuses.
  bool has_extras() const { return has_extras_; }

 private:
  enum class Place { kAddress, kAngle, kPhrase, kGroupName };

  void step(const Token& token) {
    if (token.kind == TokenKind::kComment) {
      has_extras_ = true;
    } else if (place_ == Place::kAngle) {
      if (!token.is_special('<')) return keep(token);
      end_address();
      place_ = Place::kPhrase;
    } else if (place_ == Place::kGroupName && !token.is_special(',')) {
      return;
    } else if (token.is_special(',') || token.is_special(';')) {
      has_extras_ = true;
      end_address();
      place_ = Place::kAddress;
      is_group_ |= token.is_special(';');
    } else if (is_group_ && token.is_special(':')) {
      end_address();
      place_ = Place::kGroupName;
    } else if (token.is_special('>')) {
      has_extras_ |= !kept_.empty();
      end_address();
      place_ = Place::kAngle;
    } else if (place_ == Place::kPhrase) {
      has_extras_ |= token.is_word();
      if (token.is_special(':')) place_ = Place::kAddress;
    } else {
      keep(token);
    }
  }

  void keep(const Token& token) { kept_.push_back(token); }

  void end_address() {
    if (!kept_.empty()) ++count_;
    std::reverse(kept_.begin(), kept_.end());
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      if (i > 0 && kept_[i].is_word() && kept_[i - 1].is_word()) is_malformed_ |= place_ == Place::kAddress;
      address_ += kept_[i].text;
    }
    kept_.clear();
  }

  Tokens tokens_;
  Tokens kept_;  ///< Of the address at hand, from the right.
  std::string address_;
  Place place_ = Place::kAddress;
  int count_ = 0;
  bool is_group_ = false;
  bool is_malformed_ = false;
  bool has_extras_ = false;
};

bool is_enclosed(std::string_view text) {
  return text.size() >= 2 && text.front() == '<' && text.back() == '>';
}

}  // namespace

std::optional<std::string> parse_path(std::string_view text, const PathOptions& options) {
  if (options.is_strict && !is_enclosed(text)) return std::nullopt;
  if (is_enclosed(text)) text = text.substr(1, text.size() - 2);
  // `@a,@b:`, a source route (RFC 5321, section 4.1.1.3: "should be ignored").
  if (text.starts_with('@')) text.remove_prefix(text.find(':') + 1);
  AddressFinder finder(Tokenizer(text).run());
  std::optional<std::string> address = finder.run();
  if (!address) return std::nullopt;
  if (options.is_strict && (finder.has_extras() || address->starts_with('@'))) return std::nullopt;
  if (!options.allows_leading_hyphen && address->starts_with('-')) return std::nullopt;
  return address;
}

bool has_valid_domain(std::string_view address, const DomainOptions& options) {
  // A source route that was no first thing in the command.
  if (address.starts_with('@')) address.remove_prefix(address.find(':') + 1);
  if (address.find('@') == std::string_view::npos) return true;
  // Postfix drops null domains (`a@b@`), unless there is no other.
  while (address.ends_with('@')) address.remove_suffix(1);
  const std::size_t at = address.rfind('@');
  if (at == std::string_view::npos) return false;
  std::string_view domain = address.substr(at + 1);
  if (domain.starts_with('[') && domain.ends_with(']')) {
    return is_smtp_literal(domain.substr(1, domain.size() - 2));
  }
  // A dot at the end is the root of the DNS.
  if (domain.ends_with('.')) domain.remove_suffix(1);
  return is_host_name(options.is_utf8 ? libconf::domain_to_ascii(domain) : std::string(domain), false);
}

std::string smtp_literal(std::string_view address) {
  return libconf::concat(address.find(':') == std::string_view::npos ? "" : kIpv6, address);
}

bool is_smtp_literal(std::string_view text) {
  if (text.size() >= kIpv6.size() && libconf::equals_ignoring_case(text.substr(0, kIpv6.size()), kIpv6)) {
    return libmaps::parse_ipv6(text.substr(kIpv6.size())).has_value();
  }
  return libmaps::parse_ipv4(text).has_value();
}

}  // namespace mta
