/// The process that serves all smtpd services of master.cf, as the master starts it: see
/// tools/mta/daemon/master.h.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace smtpd {

/// Serves until it is told to end: by SIGHUP, when another server has taken over, after the last session; by
/// SIGTERM, or the end of the master, after the last message. `arguments`:
///
///     -c DIR [--log] [--listen SERVICE]...
///     -c DIR --stand-alone POSTDROP           see stand_alone.h
///
/// Descriptors are those of start_process(): the master's end of a connection, to which a byte is written
/// when the server is ready; the log, with --log; a socket for each --listen. Returns the exit status.
int run(const std::vector<std::string>& arguments, std::ostream& err);

}  // namespace smtpd
