/// The rules of a pattern table, as pcre_table(5) and regexp_table(5) describe them.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <span>
#include <string_view>
#include <vector>

#include "libconf/diagnostic.h"
#include "libmaps/pattern_engine.h"
#include "libmaps/result_template.h"
#include "libmaps/source_reader.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// In place of a rule's number.
inline constexpr std::uint32_t kNoRule = 0xFFFFFFFF;

/// `/pattern/flags result`, or `if /pattern/flags`.
struct PatternRule {
  std::string_view pattern;
  std::uint32_t options = 0;
  int line = 0;
  bool negated = false;
  bool is_if = false;
  std::uint32_t block = kNoRule;  ///< The IF that it stands in.
  std::uint32_t block_end = 0;    ///< An IF's: the rule after its ENDIF.
  std::uint32_t first_piece = 0;  ///< Its result is pieces[first_piece .. first_piece + piece_count).
  std::uint32_t piece_count = 0;
  std::uint32_t highest_group = 0;            ///< The highest $number in its result.
  std::unique_ptr<CompiledPattern> compiled;  ///< Null until it is needed, where it is sure to compile.
};

/// All rules of a table in their order; ENDIFs have become `block_end`. Movable; owns its text.
struct PatternRules {
  std::vector<PatternRule> rules;
  std::vector<ResultPiece> pieces;
  std::unique_ptr<std::pmr::monotonic_buffer_resource> text =
      std::make_unique<std::pmr::monotonic_buffer_resource>();

  std::span<const ResultPiece> result_of(const PatternRule& rule) const {
    return std::span(pieces).subspan(rule.first_piece, rule.piece_count);
  }
};

/// Reads to the end of `source`. Rules that cannot be used are left out, with a warning for each; what they
/// are called in is `source.name()`. Of the options, load_files and forbid_substitution count.
PatternRules read_pattern_rules(SourceReader& source, PatternEngine& engine,
                                libconf::DiagnosticSink& warnings, const TableOptions& options = {});

}  // namespace libmaps
