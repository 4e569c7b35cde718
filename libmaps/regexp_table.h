/// `regexp:` tables: POSIX regular expressions, matched by the C library (regexp_table(5)).
#pragma once

#include <memory>
#include <string_view>

#include "libmaps/pattern_engine.h"
#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// Opens the file `name`, or the inline rules `{ {rule}, {rule} }`. Rules that cannot be used are left out,
/// with a warning for each. REQUIRES: the process's LC_CTYPE is "C", as Postfix's is. Errors: kInputOutput,
/// "open NAME: No such file or directory"; kSyntax for unbalanced braces.
Result<std::unique_ptr<Table>> open_regexp(std::string_view name, const TableContext& context);

/// What open_regexp() gives to open_pattern_table().
std::unique_ptr<PatternEngine> make_regexp_engine();

}  // namespace libmaps
