/// Showing main.cf: `postconf [-dfhHjnoqx] [-C class] [name...]`, and the views with origins.
#pragma once

#include <string>
#include <vector>

#include "libconf/result.h"
#include "tools/postconf/output.h"
#include "tools/postconf/run.h"

namespace postconf {

libconf::Result<int> show_main(const Options& options, Console& console);

/// The classes that -C takes.
std::vector<std::string> class_names();

/// --origin: the same, with what set each value. --service: as one service sees it.
libconf::Result<int> show_origins(const Options& options, Console& console);

}  // namespace postconf
