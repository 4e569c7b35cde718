/// The text that postalias(1) makes tables from: `name: value, value...` (aliases(5)), tokens as in RFC 822.
#pragma once

#include <string>
#include <string_view>

#include "libconf/result.h"

namespace libmaps {

/// An alias in the form that is stored: tokens written again with single blanks where there must be some, and
/// with quotes where they need them.
struct AliasLine {
  std::string name;
  std::string value;
};

/// Reads a logical line. Pure; thread-safe. Errors: kSyntax, "need name:value pair" or "name must be local
/// and have no domain".
libconf::Result<AliasLine> parse_alias_line(std::string_view text);

}  // namespace libmaps
