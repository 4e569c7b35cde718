/// A table of patterns that are tried in their order: what `pcre:` and `regexp:` have in common.
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/pattern_engine.h"
#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// Opens `name`, a file or `{ {rule}, {rule} }`, as a table that matches with `engine`. What is wrong with
/// its rules goes to `context.warnings`. Errors: kInputOutput, "open NAME: No such file or directory";
/// kSyntax for unbalanced braces.
Result<std::unique_ptr<Table>> open_pattern_table(std::unique_ptr<PatternEngine> engine,
                                                  std::string_view name, const TableContext& context);

}  // namespace libmaps
