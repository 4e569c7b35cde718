/// Lines from a descriptor, a block at a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "libconf/result.h"

namespace postmap {

/// Reads `fd` to its end. `visit` gets each line without its newline, up to a
/// NUL, if it has one; `before_block` and `after_block` are
/// called around the lines of one read(2), so that nothing is held, and nothing unsaid, while more is waited
/// for. Errors: kInputOutput, and the first of a callback.
libconf::Result<void> for_each_line(int fd, const std::function<libconf::Result<void>()>& before_block,
                                    const std::function<libconf::Result<void>(std::string_view line)>& visit,
                                    const std::function<void()>& after_block);

}  // namespace postmap
