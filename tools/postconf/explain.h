/// --explain NAME: all that is known about one parameter.
#pragma once

#include "libconf/result.h"
#include "tools/postconf/run.h"

namespace postconf {

libconf::Result<int> explain_parameter(const Options& options, Console& console);

}  // namespace postconf
