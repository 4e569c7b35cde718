/// The registry of lookup table types: what `type:name` may be in this build (DATABASE_README).
#pragma once

#include <span>
#include <string_view>

namespace libmaps {

/// The names of all table types, sorted. Constant; thread-safe.
std::span<const std::string_view> table_type_names();

}  // namespace libmaps
