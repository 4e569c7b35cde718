/// `{text}` as configuration values use it to keep blanks together.
#pragma once

#include <string_view>

#include "libconf/diagnostic.h"

namespace libconf {

/// The inside of a word that starts with '{', without blanks at its ends. What is wrong with the braces is
/// reported as `label`'s ("master.cf"), and read over. REQUIRES: word starts with '{'.
std::string_view strip_braces(std::string_view word, std::string_view label, DiagnosticSink& sink);

}  // namespace libconf
