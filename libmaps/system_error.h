/// What the operating system refused, as a reason alone: the caller says what it was doing, and to which
/// file.
#pragma once

#include <system_error>

#include "libconf/result.h"

namespace libmaps {

/// The reason that `error_number` (an errno value) stands for: "No such file or directory".
inline libconf::Error system_error(int error_number) {
  return {.kind = libconf::ErrorKind::kInputOutput, .message = std::generic_category().message(error_number)};
}

}  // namespace libmaps
