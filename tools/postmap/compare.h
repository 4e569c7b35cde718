/// Whether an index says what its source says.
#pragma once

#include <functional>
#include <string_view>

#include "libconf/result.h"
#include "libmaps/open.h"
#include "tools/postmap/build.h"
#include "tools/postmap/session.h"

namespace postmap {

enum class Difference {
  kOtherValue,   ///< The source has another value.
  kNotInSource,  ///< The index has an entry in excess.
  kNotInIndex,
};

/// "another value in the source" and so on.
std::string_view to_string(Difference difference);

/// Visits the differences between the index of a table, by the order in the index, and what `recipe` would
/// make of its source. `index` is the name of the index, for messages. REQUIRES: the type has an index.
/// Errors: one of the two cannot be read.
libconf::Result<void> compare_index(
    const Session& session, libmaps::TableSpec spec, const Recipe& recipe,
    const std::function<void(std::string_view index, Difference difference, std::string_view key)>& visit);

}  // namespace postmap
