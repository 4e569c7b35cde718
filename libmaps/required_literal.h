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

/// Texts in lower case (ASCII).
using Literals = std::vector<std::string>;

/// Every subject that matches has at least one text of each of these in it, letters of either case taken as
/// equal.
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
