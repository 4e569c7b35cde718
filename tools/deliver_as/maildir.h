/// A message as a file of its own in a maildir (local(8), virtual(8); the form is that of qmail).
#pragma once

#include "tools/mta/delivery/user_actions.h"

namespace deliver_as {

/// Writes the message in tmp/, waits until it is on the disk, and moves it to new/; directories that are
/// missing are made. When that fails, nothing is left. The path ends in a slash. REQUIRES: the process is the
/// user's.
mta::ActionResult deliver_to_maildir(const mta::MailboxDelivery& delivery, int message);

}  // namespace deliver_as
