/// How ESMTP parameters write characters that may not stand in them.
///
///     std::optional<std::string> text = mta::decode_xtext("a+20b");  // "a b"
///
/// All functions are pure and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mta {

/// xtext (RFC 3461, section 4): `+` and two hexadecimal digits stand for a byte. Nothing: a `+` without them.
std::optional<std::string> decode_xtext(std::string_view text);

/// The other way: every byte but printable ASCII without `+` and `=` is encoded.
std::string encode_xtext(std::string_view text);

/// The address of an ORCPT of type utf-8 (RFC 6533, section 3): `\x{HEX}` stands for a character. Nothing: it
/// is not closed, or no character of Unicode. Other backslashes are text.
std::optional<std::string> decode_utf8_xtext(std::string_view text);

}  // namespace mta
