/// Lookup tables as values name them: `type:name`, also inside `proxy:type:name` and `pipemap:{type:name, ...}`.
#pragma once

#include <functional>
#include <string_view>

namespace libconf {

/// Calls `visit` for every word of an expanded value that looks like a table. Views point into `value`.
void for_each_table(std::string_view value,
                    const std::function<void(std::string_view type, std::string_view name)>& visit);

}  // namespace libconf
