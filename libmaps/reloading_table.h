/// Tables that are read from a text file stay up to date with it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "libconf/diagnostic.h"
#include "libmaps/table.h"

namespace libmaps {

/// Opens the table anew.
using TableMaker = std::function<Result<std::unique_ptr<Table>>()>;

/// A table made of `file` by `make`, and made again when the file has changed. Each lookup looks at the file
/// first, or each hold(). A file that is gone, or that cannot be read, leaves the table as it was, with a
/// warning. Errors: those of `make`.
Result<std::unique_ptr<Table>> open_reloading(std::string file, TableMaker make,
                                              libconf::DiagnosticSink& warnings);

}  // namespace libmaps
