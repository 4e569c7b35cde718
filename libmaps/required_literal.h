/// What a pattern needs: texts without which no subject matches it, how many groups it has, and whether an
/// engine is sure to accept it.
///
///     LiteralChoices literals;
///     PcreLexer lexer("^Subject:.*(cheap|free) pills");
///     examine_pattern(lexer, &literals);   // {{"subject:"}, {"cheap pills", "free pills"}}
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "libmaps/pattern_lexer.h"

namespace libmaps {

/// How letters are compared with those of literals, whether the pattern minds their case or not.
inline char fold_case(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Texts with their case folded.
using Literals = std::vector<std::string>;

/// Every subject that matches has, once its case is folded, at least one text of each of these in it.
using LiteralChoices = std::vector<Literals>;

/// Shorter texts are not given.
inline constexpr std::size_t kShortestLiteral = 3;

struct PatternFacts {
  std::size_t group_count = 0;
  /// The engine accepts the pattern. Otherwise it may or may not.
  bool is_certain = false;
};

/// Reads a pattern to its end. `literals`, where it is not null, gets what the pattern needs. Nothing is
/// returned, or required, for a pattern that is not understood.
std::optional<PatternFacts> examine_pattern(PatternLexer& lexer, LiteralChoices* literals);

}  // namespace libmaps
