/// Building one index from its source.
#pragma once

#include <sys/types.h>

#include "libconf/result.h"
#include "libmaps/open.h"
#include "libmaps/source_entries.h"
#include "tools/postmap/session.h"

namespace postmap {

/// How an index is made of its source.
struct Recipe {
  libmaps::SourceOptions source;
  libmaps::Duplicates duplicates = libmaps::Duplicates::kWarn;
  bool default_mode = false;   ///< A new index gets mode 0644, not that of its source.
  bool tightens_mode = false;  ///< No index may be read by more people than its source.
};

/// The entries that belong into an index: those of its source, and the mark of an alias database.
libmaps::SourceEntries read_entries(libmaps::SourceReader source, const Recipe& recipe,
                                    std::string_view label, libconf::DiagnosticSink& warnings);

/// Builds the index of `spec`. REQUIRES: the type has one. Errors: the source cannot be read, the index not
/// be written.
libconf::Result<void> build_index(Session& session, libmaps::TableSpec spec, const Recipe& recipe);

}  // namespace postmap
