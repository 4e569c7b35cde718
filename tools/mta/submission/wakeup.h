/// Telling a service of the mail system that there is work (master(5), "wakeup time"; postdrop(1)).
///
///     Result<void> told = wake_up("/var/spool/postfix/public/pickup", 10s);
#pragma once

#include <chrono>
#include <string>

#include "libconf/result.h"

namespace mta {

/// Connects to the socket, or opens the fifo, at `path`, and writes a byte; what waits, waits no longer than
/// `limit`. Errors: kTemporary, when nobody is there to be told; kInputOutput.
libconf::Result<void> wake_up(const std::string& path, std::chrono::seconds limit);

}  // namespace mta
