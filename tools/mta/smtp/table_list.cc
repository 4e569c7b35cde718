#include "tools/mta/smtp/table_list.h"

#include "libconf/text.h"
#include "tools/mta/daemon/waiting_table.h"

namespace mta {

using libconf::concat;
using libconf::Result;

Result<TableList> TableList::open(std::string_view parameter, const libmaps::TableContext& context) {
  const Result<std::string> value = context.settings.get(parameter);
  if (!value) return value.error();
  TableList list;
  std::string_view rest = *value;
  while (const auto spec = libconf::next_braced_word(rest, libconf::kListSeparators))
    list.add(*spec, context);
  return list;
}

TableList TableList::of(std::string_view spec, const libmaps::TableContext& context) {
  TableList list;
  list.add(spec, context);
  return list;
}

void TableList::add(std::string_view spec, const libmaps::TableContext& context) {
  Result<std::unique_ptr<libmaps::Table>> table = open_table(spec, context);
  if (!table) context.warnings.warn("table", concat(spec, " is unavailable. ", table.error().message));
  tables_.push_back({std::string(spec), table ? std::move(*table) : nullptr});
}

Result<std::optional<std::string>> TableList::lookup(std::string_view key) {
  for (const Source& source : tables_) {
    if (source.table) {
      Result<std::optional<std::string>> value = source.table->lookup(key);
      if (value && !*value) continue;
      if (value) return value;
    }
    return libconf::Error{.kind = libconf::ErrorKind::kTemporary,
                          .message = concat(source.spec, " lookup error for \"", key, "\"")};
  }
  return std::optional<std::string>();
}

}  // namespace mta
