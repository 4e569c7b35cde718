/// What may be a host name (RFC 1123, 2.1, as Postfix has it: underscores are allowed, too).
///
/// All functions are pure and thread-safe.
#pragma once

#include <optional>
#include <string_view>

#include "libmaps/ip_address.h"

namespace mta {

/// Labels of up to 63 letters, digits, '-' and '_', without '-' at an end; not all numbers; up to 255
/// characters. A dot at the end is none of them.
bool is_valid_host_name(std::string_view name);

/// The address in "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321, 4.1.3), or in "[2001:db8::1]", which
/// Postfix takes from clients, too. Nothing: it is none.
std::optional<libmaps::IpAddress> bracketed_address(std::string_view text);

/// Without the dot at its end.
std::string_view without_final_dot(std::string_view name);

}  // namespace mta
