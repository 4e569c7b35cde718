/// Completion of command lines for bash, zsh and fish, made from the table of options that a program parses
/// its command line with.
///
///     std::string script = cli::completion_text(syntax, "bash");   // to be sourced, or installed
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "tools/cli/command_line.h"

namespace cli {

/// The names of the shells.
std::span<const std::string_view> completion_shells();

/// What the shell is to read. REQUIRES: it is one of completion_shells().
std::string completion_text(const Syntax& syntax, std::string_view shell);

}  // namespace cli
