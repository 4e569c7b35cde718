/// --check: diagnostics and nothing else.
#pragma once

#include "libconf/result.h"
#include "tools/postconf/run.h"

namespace postconf {

/// Prints every finding to standard output; status 1 when one is an error.
libconf::Result<int> check_configuration(const Options& options, Console& console);

}  // namespace postconf
