/// What a host is for, told from its configuration.
#pragma once

#include "tools/postlint/rule.h"

namespace postlint {

/// A host without a server that others reach, and with a relayhost, is a null client; one where users log in,
/// and port 25 is not for strangers, is for submission; one that has domains of its own is a mail exchanger;
/// one that has none, and forwards, is a relay.
Profile guess_profile(const SiteModel& site);

}  // namespace postlint
