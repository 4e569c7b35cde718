/// Base64 (RFC 4648, section 4), for values that are the contents of files (postmap -F).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace libmaps {

/// Pure; thread-safe.
std::string encode_base64(std::string_view bytes);

/// Nothing: `text` is not the padded base64 form of anything. Pure; thread-safe.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace libmaps
