/// Reads .forward files and the like (local(8)).
#pragma once

#include <string>

#include "tools/mta/delivery/user_actions.h"

namespace deliver_as {

/// The text of a regular file that not everybody can write to. REQUIRES: the
/// process is the user's.
mta::FileText read_text(const std::string& path);

}  // namespace deliver_as
