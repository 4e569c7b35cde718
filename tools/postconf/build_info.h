/// What this build supports: -a, -A, -l, -m and -T.
#pragma once

#include "libconf/result.h"
#include "tools/postconf/run.h"

namespace postconf {

/// REQUIRES: one of the five options is set.
libconf::Result<int> show_build_info(const Options& options, Console& console);

}  // namespace postconf
