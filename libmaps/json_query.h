/// Queries of document databases: JSON texts with parts of a key inside their strings (mongodb_table(5),
/// `query_filter`).
///
///     if (find_unquoted_conversion(query)) ...   // refused
///     std::string filter = rules.query_for(key, quote_json);
///
/// All functions are pure and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace libmaps {

/// Appends `text` to a JSON string that is open in `out`, so that it stands for itself and does not end the
/// string (RFC 4627, section 2.5). A Quote of query_template.h. REQUIRES: is_utf8(text).
void quote_json(std::string_view text, std::string& out);

/// The first conversion of a template, such as "%s", that is not inside a JSON string; nothing when all are.
/// Outside, quoting protects nothing: the key would be read as JSON.
std::optional<std::string_view> find_unquoted_conversion(std::string_view query);

/// Whether `text` is from '{' to the '}' that closes it, and nothing follows. What is between is left to a
/// JSON reader; but readers are content with the first of several objects, and with an array.
bool is_one_object(std::string_view text);

}  // namespace libmaps
