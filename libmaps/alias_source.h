/// The text that postalias(1) makes tables from: `name: value, value...` (aliases(5)), tokens as in RFC 822.
#pragma once

#include <optional>
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

/// An alias as it is written, as views into its line.
struct PlainAliasLine {
  std::string_view name;
  std::string_view value;
};

/// Most lines say `name: word`, and what is stored is what is written. Nothing for other lines: these are for
/// parse_alias_line(). Pure; thread-safe.
std::optional<PlainAliasLine> parse_plain_alias_line(std::string_view text);

/// Reads a logical line. Pure; thread-safe. Errors: kSyntax, "need name:value pair" or "name must be local
/// and have no domain".
libconf::Result<AliasLine> parse_alias_line(std::string_view text);

}  // namespace libmaps
