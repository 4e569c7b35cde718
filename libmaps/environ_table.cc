#include "libmaps/environ_table.h"

#include <cstdlib>

#include "libconf/text.h"
#include "libmaps/map_table.h"

namespace libmaps {
Result<std::unique_ptr<Table>> open_environ(std::string_view name, const TableContext& context) {
  const Result<std::vector<std::string>> imports = context.settings.get_list("import_environment");
  if (!imports) return imports.error();
  MapTable::Entries variables;
  for (std::string_view word : *imports) {
    if (word.starts_with('{') && word.ends_with('}')) word = libconf::trim(word.substr(1, word.size() - 2));
    libconf::NameValue assignment;
    if (libconf::split_name_value(word, assignment) == libconf::NameValueFault::kNone) {
      variables.insert_or_assign(std::string(assignment.name), std::string(assignment.value));
    } else if (const char* value = std::getenv(std::string(word).c_str())) {
      variables.insert_or_assign(std::string(word), value);
    }
  }
  return std::make_unique<MapTable>(libconf::concat("environ:", name), std::move(variables));
}

}  // namespace libmaps
