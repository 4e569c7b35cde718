/// Values that are the contents of files (postmap -F).
#pragma once

#include <string>
#include <string_view>

#include "libconf/result.h"

namespace libmaps {

/// The contents of the files that `names` lists, separated by commas or blanks, with a newline between two,
/// in base64. Thread-safe. Errors: kInputOutput, "open FILE: REASON".
libconf::Result<std::string> encode_files(std::string_view names);

}  // namespace libmaps
