/// postfix(1) as a function, for main() and for tests.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace postfix {

/// What the command finds around it.
struct Surroundings {
  std::string server_directory;  ///< Of smtpd and qmgr.
  std::string queue_program;     ///< The path of postqueue.
  bool has_terminal = false;     ///< Standard error is one: the user sees what the log says, as with Postfix.
};

/// Runs the command; `arguments` without the program's name. Returns the exit status. `start` returns in the
/// process that was called; `start-fg` when the mail system has ended.
int run(const std::vector<std::string>& arguments, const Surroundings& surroundings, std::ostream& out,
        std::ostream& err);

}  // namespace postfix
