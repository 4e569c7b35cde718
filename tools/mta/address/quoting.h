/// The two forms of an address: external, as in messages and SMTP (`"a b"@example.com`, RFC 5321, RFC 5322),
/// and internal, as in queue files and Postfix's own talk (`a b@example.com`).
///
///     std::string address = unquote_address("\"a b\"@example.com");  // a b@example.com
///     std::string same = quote_address(address);
///
/// The local part is what stands before the last '@' that is not quoted. A source route ahead of it,
/// `@a,@b:`, and the domain are not subject to quoting. All functions are pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace mta {

/// The external form. A local part that is no dot-atom is quoted; one that is empty becomes `""`, but the
/// empty address stays empty. Bytes above 127 need no quotes (RFC 6531). For every text,
/// unquote_address(quote_address(text)) == text.
std::string quote_address(std::string_view internal);

/// The internal form. Never fails: quotes that are not closed reach to the end of the text.
std::string unquote_address(std::string_view external);

}  // namespace mta
