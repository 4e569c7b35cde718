/// Reading whole files.
#pragma once

#include <string>

#include "libconf/result.h"

namespace libconf {

/// The file's bytes, up to 256 MiB. Errors: kInputOutput, "open FILE: REASON" or "read FILE: REASON".
Result<std::string> read_file(const std::string& file);

/// An input/output error with the reason of `error_number` (an errno value): "WHAT FILE: REASON".
Error io_error(std::string_view what, const std::string& file, int error_number);

}  // namespace libconf
