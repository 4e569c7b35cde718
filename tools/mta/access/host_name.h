/// What may be a host name (RFC 1123, 2.1, as Postfix has it: underscores are allowed, too).
///
/// All functions are pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace mta {

/// Labels of up to 63 letters, digits, '-' and '_', without '-' at an end; not all numbers; up to 255
/// characters. A dot at the end is none of them.
bool is_valid_host_name(std::string_view name);

/// "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321, 4.1.3), or the IPv6 address without its tag.
bool is_valid_address_literal(std::string_view text);

/// The address in a literal; empty: it is none.
std::string literal_address(std::string_view text);

/// Without the dot at its end.
std::string_view without_final_dot(std::string_view name);

}  // namespace mta
