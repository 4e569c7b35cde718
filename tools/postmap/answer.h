/// How an entry is printed.
#pragma once

#include <string>
#include <string_view>

#include "tools/postmap/session.h"

namespace postmap {

/// Appends "KEY<TAB>VALUE" or, with -j, a JSON object, and a newline.
void append_answer(std::string& out, const Session& session, std::string_view key, std::string_view value);

/// Warns that a table has an empty value, which Postfix takes for a mistake. `table` is as the user named it.
void warn_of_empty_value(const Session& session, std::string_view table, std::string_view key);

}  // namespace postmap
