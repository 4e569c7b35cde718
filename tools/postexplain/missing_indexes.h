/// Indexed tables of a checkout, where postmap(1) has not been run: their sources are there.
///
///     MissingIndexes missing;
///     missing.source_of("hash:/srv/checkout/virtual");  // "texthash:/srv/checkout/virtual"
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/handle.h"

namespace postexplain {

/// Not thread-safe.
class MissingIndexes {
 public:
  /// A table that answers as `table` would, were its index built. Nothing: it has an index, or needs none, or
  /// its source is not there either. The answer can be opened as long as this lives.
  std::optional<std::string> source_of(std::string_view table);

 private:
  std::vector<libconf::FileDescriptor> sources_;  ///< Alias files, as `key value`.
};

}  // namespace postexplain
