/// Runs the command of a user with a message on its standard input (local(8), pipe(8)).
#pragma once

#include "tools/mta/delivery/user_actions.h"

namespace deliver_as {

/// Waits until the command has ended and closed its output; after the time limit, it and its children are
/// killed. What it does not read of the message is not missed. REQUIRES: the process is the user's; the
/// command is not empty.
mta::CommandResult run_command(const mta::CommandRun& command, int message);

}  // namespace deliver_as
