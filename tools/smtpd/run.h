/// The process that serves all smtpd services of master.cf, as the master starts it: see
/// tools/mta/daemon/server_process.h.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace smtpd {

/// Serves as run_server() says, and ends after the last session, or after the last message when the mail
/// system ends; or one client (see stand_alone.h), with the arguments
///
///     -c DIR --stand-alone POSTDROP
///
/// Returns the exit status.
int run(const std::vector<std::string>& arguments, std::ostream& err);

}  // namespace smtpd
