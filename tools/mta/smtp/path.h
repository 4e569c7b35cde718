/// Addresses in MAIL, RCPT and VRFY commands (RFC 5321, section 4.1.2; RFC 6531), and what else Postfix takes
/// for one: comments, phrases, groups and addresses without angle brackets (RFC 822).
///
///     std::optional<std::string> sender = mta::parse_path("<\"John Doe\"@example.com>", {});
///     if (!sender) return bad_syntax();
///     // *sender is "John Doe@example.com", as a queue file has it
///
/// All functions are pure and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mta {

struct PathOptions {
  /// strict_rfc821_envelopes: only `<address>`, without comments, phrases, groups and lists, and with a local
  /// part.
  bool is_strict = false;

  /// allow_min_user: an address may start with '-'.
  bool allows_leading_hyphen = false;
};

/// The one address in `text`, in internal form: without quotes, backslashes, comments, white space around
/// tokens, and source route. Empty: the null path, or nothing but comments. Nothing: no address, or several.
/// Its domain is not looked at; see has_valid_domain().
std::optional<std::string> parse_path(std::string_view text, const PathOptions& options);

/// Which domains Postfix takes.
struct DomainOptions {
  bool is_utf8 = false;  ///< The message is SMTPUTF8: names beyond ASCII are good.
};

/// False when `address`, in internal form, has a domain that no DNS name and no address literal could be.
/// Without a domain it is good.
bool has_valid_domain(std::string_view address, const DomainOptions& options);

/// "192.0.2.1" or "IPv6:2001:db8::1", an IP address as an address literal has it between its brackets.
std::string smtp_literal(std::string_view address);

/// The address of `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321, section 4.1.3) between the brackets.
bool is_smtp_literal(std::string_view text);

}  // namespace mta
