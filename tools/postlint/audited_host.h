/// The host that a configuration is audited for: the same wherever the audit runs.
#pragma once

#include "libconf/host.h"

namespace postlint {

/// It is called localhost, and has the interfaces that every host has. Names that only the DNS knows lead to
/// an address for documentation (RFC 5737).
libconf::Host audited_host();

}  // namespace postlint
