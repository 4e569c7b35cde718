/// The text that postmap(1) makes tables from: `key whitespace value`, one logical line each.
#pragma once

#include <string_view>

#include "libconf/result.h"

namespace libmaps {

/// What a logical line says, as views into it.
struct MapLine {
  std::string_view key;  ///< As written: quotes that keep blanks in a key belong to it.
  std::string_view value;

  /// The key ends with a colon: was this file meant for postalias?
  bool looks_like_alias() const { return key.ends_with(':'); }
};

/// Splits a logical line. Pure; thread-safe. Errors: kSyntax, kNoValueMessage, or
/// "unbalanced '"' in '...' -- ignoring this line".
libconf::Result<MapLine> parse_map_line(std::string_view text);

/// A key without a value.
inline constexpr std::string_view kNoValueMessage = "expected format: key whitespace value";

/// The warning that goes with looks_like_alias().
inline constexpr std::string_view kAliasFormatWarning =
    "record is in \"key: value\" format; is this an alias file?";

}  // namespace libmaps
