/// A message at the end of a file: an mbox, or any file that an alias names (local(8), virtual(8)).
#pragma once

#include "tools/mta/delivery/user_actions.h"

namespace deliver_as {

/// Locks the file, writes, and waits until it is on the disk; when that fails, the file is made as long as it
/// was. REQUIRES: the process is the user's.
mta::ActionResult append_to_file(const mta::MailboxDelivery& delivery, int message);

/// The fault that an errno of writing stands for: a full quota is for the sender to know.
mta::ActionFault write_fault(int error, std::string reason);

}  // namespace deliver_as
