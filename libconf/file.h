/// Files and descriptors, read and written as a whole.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "libconf/result.h"

namespace libconf {

/// The file's bytes, up to 256 MiB. Errors: kInputOutput, "open FILE: REASON" or "read FILE: REASON".
Result<std::string> read_file(const std::string& file);

/// Appends to `text` what a descriptor gives, up to its end, or until `text` has `limit` bytes or more.
/// Returns 0, or an errno.
int read_to_end(int fd, std::string& text, std::size_t limit = std::string::npos);

/// Writes all of `text` to a descriptor that blocks, however many calls it takes. Returns 0, or an errno.
int write_all(int fd, std::string_view text);

/// An input/output error with the reason of `error_number` (an errno value): "WHAT FILE: REASON".
Error io_error(std::string_view what, const std::string& file, int error_number);

}  // namespace libconf
