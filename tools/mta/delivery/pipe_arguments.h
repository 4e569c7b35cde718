/// The arguments of a command with their macros replaced (pipe(8), argv=).
///
///     auto argv = expand_pipe_arguments(options, request);
///     // {"maildrop", "-d", "${recipient}"} -> {"maildrop", "-d", "ann@example.org", "bob@example.org"}
#pragma once

#include <string>
#include <vector>

#include "libconf/result.h"
#include "tools/mta/delivery/delivery_agent.h"
#include "tools/mta/delivery/pipe_options.h"

namespace mta {

/// An argument that has a macro of a recipient comes once for each recipient. Errors: kConfiguration,
/// "unknown macro name: "x"". Pure; thread-safe.
libconf::Result<std::vector<std::string>> expand_pipe_arguments(const PipeOptions& options,
                                                                const DeliveryRequest& request);

}  // namespace mta
