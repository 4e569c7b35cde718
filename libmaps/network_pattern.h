/// Networks as cidr_table(5) and mynetworks have them: `address` or `network/length`, the address perhaps
/// in brackets.
///
///     Result<NetworkPattern> pattern = parse_network_pattern("[2001:db8::]/32");
#pragma once

#include <string_view>
#include <variant>

#include "libconf/result.h"
#include "libmaps/ip_address.h"

namespace libmaps {

using NetworkPattern = std::variant<IpNetwork<Ipv4Address>, IpNetwork<Ipv6Address>>;

/// Reads a pattern without blanks around it. Errors: kSyntax, in Postfix's words and without a place: `bad
/// mask length in "10.0.0.0/33"`. Thread-safe.
libconf::Result<NetworkPattern> parse_network_pattern(std::string_view text);

}  // namespace libmaps
