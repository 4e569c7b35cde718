/// Wakes a local service from outside, as postqueue(1), postdrop(1) and the master do (qmgr(8), pickup(8);
/// master(5), "wakeup time").
///
///     Result<void> told = trigger("public/qmgr", "FADI", 10s);
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <string>
#include <string_view>

#include "libconf/handle.h"
#include "libconf/result.h"

namespace mta {

/// Sends `requests`, a letter each, to the UNIX-domain socket or named pipe at `path`; what waits, waits no
/// longer than `limit` (trigger_timeout), and what comes of it is not waited for. Errors: "STEP PATH:
/// REASON", kTemporary, when nobody is there to be told; else kInputOutput.
libconf::Result<void> trigger(const std::string& path, std::string_view requests, std::chrono::seconds limit);

/// A socket of `type` that is connected to the UNIX-domain socket at `path`; each operation on it waits no
/// longer than `limit`. Errors: as trigger().
libconf::Result<libconf::FileDescriptor> connect_local(const std::string& path, std::chrono::seconds limit,
                                                       int type = SOCK_STREAM);

}  // namespace mta
