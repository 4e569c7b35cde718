/// Submitting a message: its envelope, from the command line and the user's account, and its content, through
/// postdrop(1).
///
///     Result<void> done = submit({.program = program, .options = options, .postdrop = path}, STDIN_FILENO,
///     std::cout);
#pragma once

#include <iosfwd>
#include <string>

#include "libconf/result.h"
#include "tools/mta/submission/user_program.h"
#include "tools/sendmail/options.h"

namespace sendmail {

struct SubmissionTools {
  mta::UserProgram& program;
  const Options& options;
  std::string postdrop;  ///< The path of the program.
};

/// Errors: the text that ends the program; there is no message in the queue then.
libconf::Result<void> submit(const SubmissionTools& tools, int input, std::ostream& out);

}  // namespace sendmail
