/// `postfix logrotate`: puts the log file aside, and compresses it (postfix(1)).
///
///     Result<std::string> aside = put_log_aside(settings);
///     // let the mail system open its log again
///     if (wait_for_writers(*aside, std::chrono::seconds(10))) compress_log(settings, *aside);
#pragma once

#include <chrono>
#include <string>

#include "libconf/result.h"
#include "libconf/settings.h"

namespace postfix {

/// Renames $maillog_file to itself with $maillog_file_rotate_suffix, as strftime(3) has it for now. Returns
/// the new name. Errors: kConfiguration, as postfix(1) words them; those of the settings.
libconf::Result<std::string> put_log_aside(const libconf::Settings& settings);

/// Waits until nobody has `file` open for writing, but no longer than `limit`. Returns whether nobody has;
/// also where the file system cannot tell, or the file is not ours.
bool wait_for_writers(const std::string& file, std::chrono::milliseconds limit);

/// Runs $maillog_file_compressor with `file` as its argument. Errors: kConfiguration, with what it said.
libconf::Result<void> compress_log(const libconf::Settings& settings, const std::string& file);

}  // namespace postfix
