/// Groups of rules that have a table of their own: rows for the rule table.
#pragma once

#include <span>

#include "tools/postlint/rule.h"

namespace postlint {

/// Constant; thread-safe.
std::span<const Rule> tls_rules();
std::span<const Rule> table_rules();
std::span<const Rule> master_rules();

}  // namespace postlint
