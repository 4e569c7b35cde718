/// The parts of a table's name.
#pragma once

#include <string_view>

namespace postexplain {

struct TableName {
  std::string_view type;
  std::string_view name;
};

/// Splits "type:name". A `proxy:` in front is passed over. Pure; thread-safe.
TableName split_table_name(std::string_view table);

}  // namespace postexplain
