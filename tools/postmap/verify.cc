#include "libconf/text.h"
#include "tools/postmap/compare.h"
#include "tools/postmap/modes.h"

namespace postmap {
namespace {

using libconf::concat;
using libconf::Result;
using libmaps::TableSpec;

/// Compares an index with what its source says. Prints each difference; returns whether there was none.
Result<bool> verify(Session& session, TableSpec spec) {
  const libmaps::TableType* type = libmaps::find_table_type(spec.type);
  if (type == nullptr || !type->has_index())
    return libconf::configuration_error(
        concat("table ", spec.type, ":", spec.name, " has no index to verify"));
  bool is_equal = true;
  const Result<void> compared =
      compare_index(session, spec, {.source = session.source_options(), .duplicates = session.duplicates()},
                    [&](std::string_view index, Difference difference, std::string_view key) {
                      is_equal = false;
                      session.output().text() += concat(index, ": ", to_string(difference), ": ", key, "\n");
                    });
  if (!compared) return compared.error();
  return is_equal;
}

}  // namespace

Result<int> verify_tables(Session& session) {
  bool all_equal = true;
  const Result<std::vector<std::string>> tables = session.tables_to_build();
  if (!tables) return tables.error();
  for (const std::string& text : *tables) {
    const Result<TableSpec> spec = session.parse_table(text);
    if (!spec) return spec.error();
    const Result<bool> is_equal = verify(session, *spec);
    if (!is_equal) return is_equal.error();
    all_equal &= *is_equal;
  }
  return all_equal ? 0 : 1;
}

}  // namespace postmap
