/// The result of a pattern rule, with its $1, ${1}, $(1) and $$ (pcre_table(5), TEXT SUBSTITUTION).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/diagnostic.h"
#include "libmaps/pattern_engine.h"

namespace libmaps {

/// Where a rule stands, for messages.
struct RulePlace {
  std::string_view type;  ///< "pcre"
  std::string_view name;  ///< The table's, without its type.
  int line = 0;

  /// "pcre map NAME, line 12: WHAT".
  std::string says(std::string_view what) const;
};

/// Literal text, or what a group matched where `group` is not 0.
struct ResultPiece {
  std::string_view text;
  std::size_t group = 0;
};

/// Appends the pieces of `text`, which they point into, to `pieces`, and raises `highest_group` to the
/// highest group that they name. Returns false after a warning that says why when the text cannot be used.
bool parse_result(std::string_view text, const RulePlace& place, const PatternDialect& dialect,
                  libconf::DiagnosticSink& warnings, std::vector<ResultPiece>& pieces,
                  std::size_t& highest_group);

/// REQUIRES: `captures` has every group that `pieces` name.
std::string expand_result(std::span<const ResultPiece> pieces, const Captures& captures);

}  // namespace libmaps
