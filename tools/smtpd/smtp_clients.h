/// smtpd(8) as a service of the server process.
#pragma once

#include <memory>

#include "libconf/result.h"
#include "tools/smtpd/served_commands.h"

namespace smtpd {

/// Clients come by TCP, by UNIX-domain sockets, and passed on (`pass`). Errors: as SmtpService::create().
libconf::Result<std::unique_ptr<mta::Service>> serve_smtp_clients(ServiceStart start);

}  // namespace smtpd
