/// proxymap(8) as a service of the server process: `proxymap`, and `proxywrite`, whose tables can be changed.
#pragma once

#include <memory>

#include "libconf/result.h"
#include "tools/smtpd/served_commands.h"

namespace smtpd {

/// Clients come by UNIX-domain sockets, any number of them; the process limit is the number of requests that
/// are answered at a time, each with open tables of its own. What tables wait for holds up no other service.
/// Errors: as ProxyService::make().
libconf::Result<std::unique_ptr<mta::Service>> serve_proxy_clients(ServiceStart start);

}  // namespace smtpd
