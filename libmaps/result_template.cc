#include "libmaps/result_template.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include "libconf/text.h"

namespace libmaps {
namespace {

using libconf::concat;
using libconf::DiagnosticSink;

constexpr std::string_view kSyntaxCode = "pattern-result";

/// The length of the `{...}` or `(...)` at the start of `text`. Only brackets of the same kind nest.
std::size_t bracketed_length(std::string_view text) {
  const char open = text[0];
  const char close = open == '{' ? '}' : ')';
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == open) ++depth;
    if (text[i] == close && --depth == 0) return i + 1;
  }
  return std::string_view::npos;
}

/// The number as C's atoi() has it, in the wider type that Postfix compares it in: digits beyond the range of
/// long are its maximum, of which the low 32 bits count.
std::size_t group_number(std::string_view digits) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  std::int64_t value = 0;
  for (const char c : digits) {
    const int digit = c - '0';
    if (value > (kMax - digit) / 10) {
      value = kMax;
      break;
    }
    value = value * 10 + digit;
  }
  return static_cast<std::size_t>(static_cast<std::int32_t>(value));
}

/// The name after the '$' at the start of `rest`, which is taken off with its brackets. Nothing, and a
/// warning, when there is none. After a fault, Postfix looks at no more names in brackets.
std::optional<std::string_view> take_name(std::string_view& rest, std::string_view whole, bool is_after_fault,
                                          DiagnosticSink& warnings) {
  const std::string_view after = rest.substr(1);
  const bool bracketed = !after.empty() && (after[0] == '{' || after[0] == '(');
  std::size_t length = 0;
  if (bracketed) {
    length = bracketed_length(after);
    if (length == std::string_view::npos) {
      warnings.warn(kSyntaxCode, concat("truncated macro reference: \"", whole, "\""));
      return std::nullopt;
    }
    if (is_after_fault) return std::nullopt;
  } else {
    while (length < after.size() && libconf::is_name_char(after[length])) ++length;
  }
  const std::string_view name = bracketed ? after.substr(1, length - 2) : after.substr(0, length);
  if (name.empty()) {
    warnings.warn(kSyntaxCode, concat("empty macro name: \"", whole, "\""));
    return std::nullopt;
  }
  rest.remove_prefix(1 + length);
  return name;
}

/// Appends the piece for a group's number. Returns false, after a warning, when `name` is none.
bool take_group(std::string_view name, const RulePlace& place, const PatternDialect& dialect,
                DiagnosticSink& warnings, std::vector<ResultPiece>& pieces, std::size_t& highest_group) {
  if (!libconf::is_all_digits(name)) {
    warnings.warn(kSyntaxCode, place.says(concat("non-numeric replacement index \"", name, "\"")));
    return false;
  }
  const std::size_t group = group_number(name);
  if (group == 0) {
    warnings.warn(kSyntaxCode, place.says(concat(dialect.out_of_range, " replacement index \"", name, "\"")));
    return false;
  }
  pieces.push_back({.text = {}, .group = group});
  highest_group = std::max(highest_group, group);
  return true;
}

}  // namespace

std::string RulePlace::says(std::string_view what) const {
  return concat(type, " map ", name, ", line ", std::to_string(line), ": ", what);
}

bool parse_result(std::string_view text, const RulePlace& place, const PatternDialect& dialect,
                  DiagnosticSink& warnings, std::vector<ResultPiece>& pieces, std::size_t& highest_group) {
  bool is_usable = true;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t dollar = std::min(rest.find('$'), rest.size());
    if (dollar > 0) pieces.push_back({.text = rest.substr(0, dollar)});
    rest.remove_prefix(dollar);
    if (rest.starts_with("$$")) {
      pieces.push_back({.text = rest.substr(0, 1)});
      rest.remove_prefix(2);
    } else if (!rest.empty()) {
      const auto name = take_name(rest, text, !is_usable, warnings);
      is_usable = name && take_group(*name, place, dialect, warnings, pieces, highest_group) && is_usable;
      if (!name) break;  // What follows cannot be told; after a wrong number it can.
    }
  }
  if (!is_usable) warnings.warn(kSyntaxCode, place.says("bad replacement syntax: skipping this rule"));
  return is_usable;
}

std::string expand_result(std::span<const ResultPiece> pieces, const Captures& captures) {
  std::string result;
  for (const ResultPiece& piece : pieces) result += piece.group == 0 ? piece.text : captures[piece.group - 1];
  return result;
}

}  // namespace libmaps
