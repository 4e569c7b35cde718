/// The failure of a lookup that depends on the system, or on a server.
#pragma once

#include <system_error>

#include "libconf/result.h"

namespace libmaps {

/// "Could not tell": kTemporary, with the reason of `error_number` (an errno value). 0 gives "Application
/// error": so Postfix prints a failure that the system knows nothing of. Postfix prints errno as the lookup
/// left it, even where that is beside the point; its tools are compared by their words, so tables that pass
/// errno here set it to 0 first.
inline libconf::Error lookup_error(int error_number) {
  return {.kind = libconf::ErrorKind::kTemporary,
          .message = error_number == 0 ? "Application error" : std::generic_category().message(error_number)};
}

}  // namespace libmaps
