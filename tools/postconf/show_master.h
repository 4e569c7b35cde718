/// Showing master.cf: `postconf -M`, `-F` and `-P` (-PP).
#pragma once

#include "libconf/result.h"
#include "tools/postconf/run.h"

namespace postconf {

libconf::Result<int> show_master(const Options& options, Console& console);

}  // namespace postconf
