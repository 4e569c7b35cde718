/// Where texts of a configuration name lookup tables of Berkeley DB: `hash:` and `btree:`, with values as
/// they are written, `$name` and all.
///
///     for (const DatabaseUse& use : database_uses("proxy:hash:$config_directory/virtual"))
///       text.replace(use.offset, use.type.size(), "lmdb");
///
/// All functions are pure and thread-safe.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace postconf {

/// Whether the type is one of Berkeley DB.
bool is_berkeley_db(std::string_view type);

/// One place where a table is named. Views point into the text.
struct DatabaseUse {
  std::size_t offset = 0;  ///< Of the type.
  std::string_view type;   ///< "hash", "btree"
  std::string_view table;  ///< "hash:$config_directory/virtual"
};

/// What may stand ahead of a table.
enum class AheadOfTable {
  kValue,    ///< A value: its start, a separator, a brace, `proxy:`, the `?` or `:` of a `${name?...}`.
  kCommand,  ///< A command of master.cf: also the `=` of `-o name=value`.
};

/// All uses in `text`, in order.
std::vector<DatabaseUse> database_uses(std::string_view text, AheadOfTable ahead);

/// Whether `text` refers to a parameter, `$name`, `${name}` or `$(name)`, with `suffix` right behind it.
bool refers_to(std::string_view text, std::string_view name, std::string_view suffix);

}  // namespace postconf
