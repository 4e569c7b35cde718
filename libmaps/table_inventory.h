/// Which lookup tables a configuration names.
///
///     for (const NamedTable& table : find_tables(settings, &master_cf, sink)) use(table.type, table.name);
#pragma once

#include <set>
#include <string>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/master_cf_document.h"
#include "libconf/settings.h"

namespace libmaps {

/// A table, and the parameters that name it.
struct NamedTable {
  std::string type;
  std::string name;
  std::set<std::string, std::less<>> parameters;
  bool is_set = false;  ///< Somebody asked for it: it is not in defaults alone, which name caches, too.
};

/// All tables in the values of main.cf and in the defaults, in the options of master.cf's services, inside
/// `pipemap:{...}` and the like, behind `proxy:`, and in the files of table clients (`domain =
/// hash:/etc/postfix/domains`). Sorted by type and name. Values that cannot be expanded, and files that
/// cannot be read, are reported, and passed over.
std::vector<NamedTable> find_tables(const libconf::Settings& settings, const libconf::MasterCf* master_cf,
                                    libconf::DiagnosticSink& sink);

}  // namespace libmaps
