/// Editing main.cf and master.cf: -e, -X and -#, with --dry-run, --strict and --changed.
#pragma once

#include "libconf/result.h"
#include "tools/postconf/run.h"

namespace postconf {

/// The exit status with --changed, when something was changed.
inline constexpr int kStatusChanged = 10;

libconf::Result<int> edit_files(const Options& options, Console& console);

}  // namespace postconf
