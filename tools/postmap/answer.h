/// How an entry is printed.
#pragma once

#include <string>
#include <string_view>

#include "tools/postmap/session.h"

namespace postmap {

/// Appends "KEY<TAB>VALUE" or, with -j, a JSON object, and a newline.
void append_answer(std::string& out, const Session& session, std::string_view key, std::string_view value);

}  // namespace postmap
