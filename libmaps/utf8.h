/// UTF-8 (RFC 3629), and the case folding of lookup keys.
///
/// All functions are pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace libmaps {

/// True when `text` is well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. ASCII is
/// passed over eight bytes at a time.
bool is_utf8(std::string_view text);

/// Folds the case of the ASCII letters.
std::string fold_ascii(std::string_view text);

/// Folds case as Unicode's full case folding has it (CaseFolding.txt, C and F). REQUIRES: is_utf8(text).
std::string fold_unicode(std::string_view text);

/// True when fold_unicode() would give the same text back for sure: no capital letter, nothing beyond ASCII.
bool is_folded_ascii(std::string_view text);

}  // namespace libmaps
