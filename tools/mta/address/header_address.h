/// The addresses in the value of a message header such as To: (RFC 5322, section 3.4), found and rewritten as
/// Postfix's cleanup(8) does.
///
///     auto rewritten = rewrite_header_addresses("To", "Joe <joe>", kUnlimitedTokens, with_domain);
///     if (!rewritten) return rewritten.error();
///     if (*rewritten) print("To: ", **rewritten);  // To: Joe <joe@example.com>
///
/// Any text is taken: groups, comments, source routes, phrases that need quotes and have none, words in place
/// of addresses, brackets that do not match. All functions are pure and thread-safe, as far as their callback
/// is.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"
#include "tools/mta/address/address_tokens.h"

namespace mta {

/// What is to stand in place of an address. Both are in external form; the argument has no comments and no
/// blanks between its tokens, and may have no domain, or be a source route.
using AddressRewriter = std::function<libconf::Result<std::string>(std::string_view address)>;

/// The addresses of a header's value, as an AddressRewriter gets them, in order. The empty address `<>` is
/// not among them. `token_limit`: header_address_token_limit.
std::vector<std::string> header_addresses(std::string_view value, std::size_t token_limit);

/// Replaces each address by what `rewrite` makes of it. `name` is the header's, without the colon: it counts
/// in the length of the first line; `value` may have several lines. Nothing: no address has changed, and the
/// header is to stay as it is, whatever its form. Otherwise the new value, written as Postfix writes it:
/// comments inside an address stand behind it, commas are put between addresses that lack them, and lines are
/// folded behind commas. What is beyond `token_limit` is lost then. Errors: those of `rewrite`.
libconf::Result<std::optional<std::string>> rewrite_header_addresses(std::string_view name,
                                                                     std::string_view value,
                                                                     std::size_t token_limit,
                                                                     const AddressRewriter& rewrite);

}  // namespace mta
