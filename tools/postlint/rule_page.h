/// What the auditor says of its own rules.
#pragma once

#include <string>

#include "tools/postlint/rule.h"

namespace postlint {

/// A line a rule: id, severity, summary, separated by tabs.
std::string rule_list();

/// A page about one.
std::string rule_page(const Rule& rule);

}  // namespace postlint
