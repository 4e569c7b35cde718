/// 'Did you mean': the nearest of some names.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace cli {

/// How many letters must be inserted, removed, changed or swapped with their neighbour to make one text the
/// other (optimal string alignment). Pure.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The name that is so near to `text` that it may have been meant; empty: none is. Pure.
std::string_view nearest_name(std::string_view text, std::span<const std::string_view> names);

}  // namespace cli
