/// Lines from a descriptor, a block at a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "libconf/result.h"

namespace postmap {

/// Calls what it is given, with whatever must be done before and after. Errors: its own, and those of the
/// call.
using BlockGuard = std::function<libconf::Result<void>(const std::function<libconf::Result<void>()>& work)>;

/// Reads `fd` to its end. `visit` gets each line without its newline, up to a NUL, if it has one; `around` is
/// called for the lines of one read(2), so that nothing is held, and nothing unsaid, while more is waited
/// for. Errors: kInputOutput, and the first of a callback.
libconf::Result<void> for_each_line(int fd, const BlockGuard& around,
                                    const std::function<libconf::Result<void>(std::string_view line)>& visit);

}  // namespace postmap
