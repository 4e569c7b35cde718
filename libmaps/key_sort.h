/// Sorting many entries by their keys.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "libmaps/table.h"

namespace libmaps {

/// The indices of `entries` in the order of their keys, as memcmp() has it, a prefix first; equal keys stay
/// in their order. At most 2^32 - 1 entries. Pure; thread-safe.
std::vector<std::uint32_t> sort_by_key(std::span<const Entry> entries);

}  // namespace libmaps
