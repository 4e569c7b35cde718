/// Bounce templates: -b (texts, expanded) and -t (templates).
#pragma once

#include "libconf/result.h"
#include "tools/postconf/run.h"

namespace postconf {

libconf::Result<int> show_bounce(const Options& options, Console& console);

}  // namespace postconf
