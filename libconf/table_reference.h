/// Lookup tables as values name them: `type:name`, `proxy:type:name`, and inside braces, as in
/// `check_client_access { pipemap:{type:name, ...} }`.
#pragma once

#include <functional>
#include <string_view>

#include "libconf/diagnostic.h"

namespace libconf {

/// Calls `visit` for every word of an expanded value that looks like a table. Views point into `value`. Bad
/// braces are reported as `label`'s ("main.cf").
void for_each_table(std::string_view value, std::string_view label, DiagnosticSink& sink,
                    const std::function<void(std::string_view type, std::string_view name)>& visit);

}  // namespace libconf
