/// pickup(8) as a service of the server process.
#pragma once

#include <memory>

#include "libconf/result.h"
#include "tools/smtpd/served_commands.h"

namespace smtpd {

/// postdrop(1) comes by a UNIX-domain socket or a named pipe, and only to say that there is work. Errors: as
/// SmtpService::create().
libconf::Result<std::unique_ptr<mta::Service>> serve_maildrop(ServiceStart start);

}  // namespace smtpd
