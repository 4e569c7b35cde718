/// The destinations in the right-hand side of an alias, in a .forward file or an :include: file (aliases(5)).
///
///     parse_alias_items("ann, \"|/usr/bin/vacation ann\", :include:/etc/mail/list");
///     // address ann; command "/usr/bin/vacation ann"; include "/etc/mail/list"
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mta {

enum class AliasItemKind : std::uint8_t { kAddress, kCommand, kFile, kHome, kInclude };

struct AliasItem {
  AliasItemKind kind = AliasItemKind::kAddress;
  /// An address in external form; a command without its "|"; a path; what stands behind "~/"; a file to
  /// include. Of kHome without a slash behind the "~" it is all of it, which is no path.
  std::string text;

  friend bool operator==(const AliasItem&, const AliasItem&) = default;
};

/// Any text is taken. Pure; thread-safe.
std::vector<AliasItem> parse_alias_items(std::string_view text);

/// Of a file: the items of all lines but those that start with "#". Pure; thread-safe.
std::vector<AliasItem> parse_alias_file(std::string_view text);

}  // namespace mta
