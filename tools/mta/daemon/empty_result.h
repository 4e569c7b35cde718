/// What Postfix says of tables that have nothing for a key, where they should not have the key.
///
///     for (const std::string& line : empty_result_warnings("smtp_header_checks", "Subject: x")) warn(line);
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace mta {

/// Two lines. `table` is the table, or the parameter that names it. Thread-safe.
std::array<std::string, 2> empty_result_warnings(std::string_view table, std::string_view key);

}  // namespace mta
