/// What opening a table needs to know.
#pragma once

#include "libconf/diagnostic.h"
#include "libconf/settings.h"
#include "libmaps/index_format.h"

namespace libmaps {

/// How keys and values are treated, whatever the type.
struct TableOptions {
  bool fold_keys = true;  ///< Fixed-string keys are matched without regard to case (postmap: not -f).
  bool utf8 = false;      ///< Keys and values must be UTF-8; folding is Unicode's (smtputf8_enable, not -u).
  bool load_files = false;  ///< Values in a source name files, and are their contents in base64 (postmap -F).
  bool decode_files = false;  ///< Values are base64, and what comes out is decoded (postmap -F).
  NullTermination null_termination = NullTermination::kEither;  ///< postmap -N, -n.
};

/// Settings and sink must outlive the tables that were opened with them. Copying is cheap.
struct TableContext {
  const libconf::Settings& settings;
  libconf::DiagnosticSink& warnings;  ///< Gets what is wrong in a table's source, and what a lookup warns of.
  TableOptions options = {};
};

}  // namespace libmaps
