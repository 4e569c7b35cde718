/// postlogd(8) as a service of the server process.
#pragma once

#include <memory>

#include "libconf/result.h"
#include "tools/smtpd/served_commands.h"

namespace smtpd {

/// Commands that may not write maillog_file send their lines to a UNIX-domain socket, each as a datagram
/// (MailLog::open_for_user()). What is no printable text becomes `?`: a line is one line, whoever sent it.
libconf::Result<std::unique_ptr<mta::Service>> serve_log_clients(ServiceStart start);

}  // namespace smtpd
