#include "tools/postexplain/table_name.h"

namespace postexplain {

TableName split_table_name(std::string_view table) {
  constexpr std::string_view kProxy = "proxy:";
  if (table.starts_with(kProxy)) table.remove_prefix(kProxy.size());
  const std::string_view type = table.substr(0, table.find(':'));
  return {type, type.size() == table.size() ? "" : table.substr(type.size() + 1)};
}

}  // namespace postexplain
