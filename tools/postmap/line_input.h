/// Lines from a descriptor, a block at a time.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "libconf/result.h"

namespace postmap {

/// Calls what it is given, with whatever must be done before and after. Errors: its own, and those of the
/// call.
using BlockGuard = std::function<libconf::Result<void>(const std::function<libconf::Result<void>()>& work)>;

/// Reads `fd` to its end. `visit` gets the lines of one read(2), each without its newline, up to a NUL, if it
/// has one; so nothing is held, and nothing unsaid, while more is waited for. Errors: kInputOutput, and those
/// of `visit`.
libconf::Result<void> for_each_block_of_lines(
    int fd, const std::function<libconf::Result<void>(std::span<const std::string_view> lines)>& visit);

}  // namespace postmap
