/// --diff DIR: what differs between two configuration directories, by meaning and not by text.
#pragma once

#include "libconf/result.h"
#include "tools/postconf/run.h"

namespace postconf {

/// Status 1 where the directories differ.
libconf::Result<int> diff_directories(const Options& options, Console& console);

}  // namespace postconf
