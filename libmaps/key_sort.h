/// Sorting many entries by their keys.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "libmaps/table.h"

namespace libmaps {

/// Where an entry stands in the order of keys.
struct SortedEntry {
  std::uint32_t index;  ///< Into the entries that were sorted.
  bool is_again;        ///< The one before it has the same key.
};

/// All of `entries` in the order of their keys, as memcmp() has it, a prefix first; equal keys stay in their
/// order. At most 2^32 - 1 entries. Pure; thread-safe.
std::vector<SortedEntry> sort_by_key(std::span<const Entry> entries);

}  // namespace libmaps
