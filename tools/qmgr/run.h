/// The process that delivers mail, as the master starts it: qmgr(8) with all delivery agents. See
/// tools/mta/daemon/server_process.h.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace qmgr {

/// Serves as run_server() says. `deliver_as` is the program that acts as other users, a path. Of several such
/// processes one is at work: the next one waits until the one before has taken up its last message. Returns
/// the exit status.
int run(const std::vector<std::string>& arguments, const std::string& deliver_as, std::ostream& err);

}  // namespace qmgr
