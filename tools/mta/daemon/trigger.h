/// Wakes a local service from outside, as postqueue(1) and the master do (qmgr(8), pickup(8)).
///
///     Result<void> told = trigger("/var/spool/postfix/public/qmgr", "FADI");
#pragma once

#include <string>
#include <string_view>

#include "libconf/result.h"

namespace mta {

/// Sends `requests`, a letter each, to the UNIX-domain socket or named pipe at `path`; does not wait for what
/// comes of it. Errors: kInputOutput, with the reason only: the caller knows what it was for.
libconf::Result<void> trigger(const std::string& path, std::string_view requests);

}  // namespace mta
