/// Starts programs that inherit file descriptors of ours.
///
///     Result<pid_t> child = start_process("/usr/libexec/postkit/smtpd", {"-c", directory},
///     {listener.get()});
///     // In the program, the descriptors are 3, 4, and so on.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <vector>

#include "libconf/result.h"

namespace mta {

/// The number that the first inherited descriptor has in the program.
inline constexpr int kFirstInherited = 3;

/// Runs `program`, a path, with `arguments` behind its name. `descriptors` become kFirstInherited and those
/// that follow; nothing else is inherited but standard input, output and error, and the environment. All
/// signals have their default action there, and none is blocked. Errors: kInputOutput.
libconf::Result<pid_t> start_process(const std::string& program, std::vector<std::string> arguments,
                                     std::span<const int> descriptors);

}  // namespace mta
