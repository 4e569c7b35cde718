#include "libmaps/required_literal.h"

#include <algorithm>
#include <utility>

namespace libmaps {
namespace {

using Kind = PatternToken::Kind;

/// How many texts a part may be, how many may stand for a pattern, and when a text is long enough.
constexpr std::size_t kMostExact = 16;
constexpr std::size_t kMostLiterals = 64;
constexpr std::size_t kLongestLiteral = 64;

std::size_t shortest(const Literals& literals) {
  std::size_t length = kLongestLiteral;
  for (const std::string& text : literals) length = std::min(length, text.size());
  return literals.empty() ? 0 : length;
}

/// What is known of a part of a pattern: it matches one of `exact` and nothing else; or, where `exact` is
/// empty, what matches it has one of each of `required` in it.
struct Part {
  Literals exact;
  LiteralChoices required;

  static Part opaque() { return {}; }
  static Part nothing() { return {.exact = {std::string()}, .required = {}}; }
};

/// Parts that follow one another.
class Sequence {
 public:
  void append(const Part& part) {
    if (!part.exact.empty()) return append_exact(part.exact);
    end_run();
    required_.insert(required_.end(), part.required.begin(), part.required.end());
  }

  void append_repeated(const Part& part, std::uint32_t min, std::uint32_t max) {
    if (min == 0) {
      Part optional = part;
      optional.exact.emplace_back();
      const bool is_exact = max == 1 && !part.exact.empty() && optional.exact.size() <= kMostExact;
      return append(is_exact ? optional : Part::opaque());
    }
    append(part);
    if (max == 1 || part.exact.empty()) return;
    if (min == 2 && max == 2) return append(part);
    // The last time is next to what follows; it may be the first.
    end_run();
    run_ = part.exact;
  }

  Part finish() {
    if (!is_exact_) {
      end_run();
      return {.exact = {}, .required = std::move(required_)};
    }
    if (run_.empty()) return Part::nothing();
    return {.exact = std::move(run_), .required = {}};
  }

 private:
  void append_exact(const Literals& tails) {
    std::size_t longest = 0;
    for (const std::string& text : run_) longest = std::max(longest, text.size());
    if (run_.size() * tails.size() > kMostExact || longest > kLongestLiteral) end_run();
    if (run_.empty()) {
      run_ = tails;
    } else if (tails.size() == 1) {
      for (std::string& head : run_) head += tails[0];
    } else {
      Literals product;
      product.reserve(run_.size() * tails.size());
      for (const std::string& head : run_)
        for (const std::string& tail : tails) product.push_back(head + tail);
      run_ = std::move(product);
    }
  }

  void end_run() {
    is_exact_ = false;
    if (shortest(run_) >= kShortestLiteral) required_.push_back(std::move(run_));
    run_.clear();
  }

  Literals run_;          ///< What the sequence ends with: one of these, or nothing yet.
  bool is_exact_ = true;  ///< The run is all of it.
  LiteralChoices required_;
};

/// The most telling literals of a part; empty when it has none.
Literals best_literals(const Part& part) {
  Literals best = part.exact;
  for (const Literals& literals : part.required) {
    if (shortest(literals) > shortest(best)) best = literals;
  }
  if (shortest(best) < kShortestLiteral) best.clear();
  return best;
}

Part any_of(std::vector<Part> branches) {
  if (branches.size() == 1) return std::move(branches[0]);
  std::size_t exact_count = 0;
  for (const Part& part : branches) exact_count += part.exact.empty() ? kMostExact + 1 : part.exact.size();
  Part all;
  if (exact_count <= kMostExact) {
    for (const Part& part : branches) all.exact.insert(all.exact.end(), part.exact.begin(), part.exact.end());
    return all;
  }
  Literals some;
  for (const Part& part : branches) {
    const Literals best = best_literals(part);
    if (best.empty() || some.size() + best.size() > kMostLiterals) return Part::opaque();
    some.insert(some.end(), best.begin(), best.end());
  }
  all.required.push_back(std::move(some));
  return all;
}

/// A recursive descent over a pattern's tokens.
class Examination {
 public:
  Examination(PatternLexer& lexer, bool wants_literals)
      : lexer_(lexer), wants_literals_(wants_literals), token_(lexer.next()) {}

  std::optional<PatternFacts> run(LiteralChoices* literals) {
    Part whole = alternatives();
    if (token_.kind != Kind::kEnd) return std::nullopt;
    if (literals != nullptr) {
      *literals = std::move(whole.required);
      if (shortest(whole.exact) >= kShortestLiteral) literals->push_back(std::move(whole.exact));
    }
    return PatternFacts{.group_count = groups_, .is_certain = lexer_.is_certain() && weight_ <= kMostWeight};
  }

 private:
  /// Engines have limits for nested groups, and for the size of what they make of a pattern: of a group that
  /// is repeated a number of times they make copies.
  static constexpr int kMostDepth = 50;
  static constexpr std::size_t kMostWeight = 500;

  void advance() { token_ = lexer_.next(); }

  Part alternatives() {
    std::vector<Part> branches;
    for (;;) {
      Part branch = sequence();
      if (wants_literals_) branches.push_back(std::move(branch));
      if (token_.kind != Kind::kAlternate) break;
      advance();
    }
    return wants_literals_ ? any_of(std::move(branches)) : Part::opaque();
  }

  Part sequence() {
    Sequence parts;
    for (;;) {
      const std::size_t weight_before = weight_;
      const bool is_repeatable = token_.kind != Kind::kNothing && token_.kind != Kind::kOpenLook;
      const auto part = item();
      if (!part) break;
      std::uint32_t min = 1;
      std::uint32_t max = 1;
      if (token_.kind == Kind::kRepeat) {
        min = token_.min;
        max = token_.max;
        const std::size_t copies = std::max<std::size_t>(min, max == PatternToken::kNoMax ? 1 : max);
        weight_ = std::min(weight_before + (weight_ - weight_before) * copies, kMostWeight + 1);
        advance();
        if (!is_repeatable || token_.kind == Kind::kRepeat) token_ = PatternToken::of(Kind::kUnknown);
      }
      if (wants_literals_) parts.append_repeated(*part, min, max);
    }
    return wants_literals_ ? parts.finish() : Part::opaque();
  }

  /// One character, class, anchor or group. Nothing at what cannot begin one.
  std::optional<Part> item() {
    const PatternToken token = token_;
    switch (token.kind) {
      case Kind::kOneOf:
      case Kind::kOpaque:
      case Kind::kNothing:
        ++weight_;
        advance();
        return part_of(token);
      case Kind::kOpenGroup:
      case Kind::kOpenCapture:
      case Kind::kOpenLook:
        return group();
      default:
        return std::nullopt;
    }
  }

  Part part_of(const PatternToken& token) const {
    if (token.kind == Kind::kOpaque || !wants_literals_) return Part::opaque();
    if (token.kind == Kind::kNothing) return Part::nothing();
    Part part;
    for (std::size_t i = 0; i < token.count; ++i) {
      std::string text(1, fold_case(token.bytes[i]));
      if (std::ranges::find(part.exact, text) == part.exact.end()) part.exact.push_back(std::move(text));
    }
    return part;
  }

  std::optional<Part> group() {
    const Kind kind = token_.kind;
    if (kind == Kind::kOpenCapture) ++groups_;
    ++weight_;
    advance();
    if (++depth_ > kMostDepth) token_ = PatternToken::of(Kind::kUnknown);
    Part inside = alternatives();
    --depth_;
    if (token_.kind != Kind::kClose) {
      token_ = PatternToken::of(Kind::kUnknown);
      return std::nullopt;
    }
    advance();
    return kind == Kind::kOpenLook && wants_literals_ ? Part::nothing() : std::move(inside);
  }

  PatternLexer& lexer_;
  bool wants_literals_;
  PatternToken token_;
  std::size_t groups_ = 0;
  std::size_t weight_ = 0;
  int depth_ = 0;
};

}  // namespace

std::optional<PatternFacts> examine_pattern(PatternLexer& lexer, LiteralChoices* literals) {
  if (literals != nullptr) literals->clear();
  return Examination(lexer, literals != nullptr).run(literals);
}

}  // namespace libmaps
