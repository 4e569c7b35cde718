/// Variable envelope return paths: a sender address that tells which recipient a bounce is about
/// (VERP_README).
///
///     verp_sender("list@example.org", "+=", "bob@example.com");   // list+bob=example.com@example.org
#pragma once

#include <string>
#include <string_view>

namespace mta {

/// All addresses are in internal form. REQUIRES: `delimiters` has two characters. Pure; thread-safe.
std::string verp_sender(std::string_view sender, std::string_view delimiters, std::string_view recipient);

}  // namespace mta
