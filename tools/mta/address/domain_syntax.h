/// Which texts can be the domain of an address that mail is sent to.
#pragma once

#include <string_view>

namespace mta {

/// A host name (RFC 1123, section 2.1, with underscores): labels of 1 to 63 letters, digits, '-' and '_',
/// that neither begin nor end with '-', 255 bytes at most, and not digits alone. Bytes above 127 are taken
/// when `allow_utf8` is set (smtputf8_enable) and they are UTF-8. Pure; thread-safe.
bool is_host_name(std::string_view text, bool allow_utf8);

/// The same, or the literal of an IPv4 or IPv6 address (RFC 5321, section 4.1.3). Pure; thread-safe.
bool is_mail_domain(std::string_view text, bool allow_utf8);

}  // namespace mta
