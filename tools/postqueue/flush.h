/// What postqueue(1) asks of the running mail system.
///
///     if (const auto asked = flush_all(settings, limit); !asked) ...
#pragma once

#include <string>

#include "tools/mta/submission/user_program.h"

namespace postqueue {

/// -f: the queue manager, and pickup(8), look at all mail now. REQUIRES, here and below: queue_directory is
/// the working directory. Errors end the program, what led to them was said.
libconf::Result<void> flush_all(mta::UserProgram& program);

/// -s: mail for a domain that fast_flush_domains has; by way of flush(8).
libconf::Result<void> flush_site(mta::UserProgram& program, const std::string& site);

/// -i: one message; by way of flush(8).
libconf::Result<void> flush_id(mta::UserProgram& program, const std::string& id);

}  // namespace postqueue
