/// Where a table's answer stands: the line of the file that it was made from.
///
///     std::string place = table_place("cidr:/etc/postfix/clients", "192.0.2.7", "REJECT", settings);
///     // "/etc/postfix/clients:12"
#pragma once

#include <string>
#include <string_view>

#include "libconf/settings.h"

namespace postexplain {

/// `table` is a type:name that has `value` for `key`. "FILE:LINE", or "rule N" of rules in braces; "(index)"
/// when an index has it and its source is not there or says something else; empty where there is no file.
/// Never fails: what cannot be found has no place.
std::string table_place(std::string_view table, std::string_view key, std::string_view value,
                        const libconf::Settings& settings);

}  // namespace postexplain
