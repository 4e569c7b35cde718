/// showq(8) as a service of the server process.
#pragma once

#include <memory>

#include "libconf/result.h"
#include "tools/smtpd/served_commands.h"

namespace smtpd {

/// postqueue(1) comes by a UNIX-domain socket, says nothing, and is told what is in the queue
/// (tools/mta/queue/listing_protocol.h). Errors: those of the settings.
libconf::Result<std::unique_ptr<mta::Service>> serve_queue_reports(ServiceStart start);

}  // namespace smtpd
