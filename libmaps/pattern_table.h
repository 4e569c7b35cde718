/// A table of patterns that are tried in their order: what `pcre:` and `regexp:` have in common.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "libmaps/pattern_engine.h"
#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// When a table is searched by the literals that its patterns need, instead of pattern by pattern. The
/// answers are the same. A pattern that the literals rule out is not run, so that it cannot fail either, as
/// at PCRE's match limit.
struct PatternIndexing {
  std::size_t least_rules = 4;  ///< In a smaller table a search for literals is not faster.
  std::size_t least_runs =
      100;  ///< The lookup that would run the table's patterns for this many times builds the index.
};

/// Opens `name`, a file or `{ {rule}, {rule} }`, as a table that matches with `engine`. What is wrong with
/// its rules goes to `context.warnings`. Errors: kInputOutput, "open NAME: No such file or directory";
/// kSyntax for unbalanced braces.
Result<std::unique_ptr<Table>> open_pattern_table(std::unique_ptr<PatternEngine> engine,
                                                  std::string_view name, const TableContext& context,
                                                  PatternIndexing indexing = {});

}  // namespace libmaps
