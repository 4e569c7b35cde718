/// How the tables that a configuration names are built: each in the way that its parameter calls for.
#pragma once

#include <string_view>

#include "libmaps/table_inventory.h"
#include "tools/postmap/build.h"

namespace postmap {

/// Parameters whose tables are not built as others are.
struct Purpose {
  std::string_view parameter;
  libmaps::SourceFormat format;
  bool values_are_files;
  std::string_view note;  ///< For what is said about the table: ", as aliases".
};

const Purpose& purpose_of(const libmaps::NamedTable& table);

/// Whether the name is that of a directory: no table, but the start of names that other parameters go on
/// with, as `indexed = hash:/etc/postfix/` is.
bool is_start_of_names(const libmaps::NamedTable& table);

/// How a table with that purpose is built by the options of `session`. No index becomes more readable than
/// its source.
Recipe recipe_for(const Purpose& purpose, const Session& session);

}  // namespace postmap
