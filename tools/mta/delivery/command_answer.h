/// What the end of a command means for a recipient (local(8), pipe(8): EXTERNAL COMMAND DELIVERY,
/// DIAGNOSTICS).
///
///     const CommandResult ended = co_await actions.run(user, command, message);
///     RecipientAnswer answer = command_answer(ended, "/usr/bin/procmail -t", problems);
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/delivery/recipient_reporter.h"
#include "tools/mta/delivery/user_actions.h"

namespace mta {

/// `command` names it in the text. Exit status 0 gives kSent, with a text that is the output, if any. What
/// goes to the log beside goes through `log`. An enhanced status code at the start of the output comes first,
/// then the exit status (<sysexits.h>).
RecipientAnswer command_answer(const CommandResult& ended, std::string_view command, RecipientReporter& log);

/// Output as it is told: on one line, without control characters. Pure.
std::string printable_output(std::string_view output);

/// NAME=VALUE of what export_environment names in the environment of this process; MAIL_CONFIG is the
/// directory of main.cf, and PATH is there in any case. Errors: as Settings::get().
libconf::Result<std::vector<std::string>> exported_environment(const libconf::Settings& settings);

}  // namespace mta
