/// postconf as a function, for main() and for tests.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "tools/postconf/output.h"

namespace postconf {

/// Where a command prints. Text for standard output is collected in `out`; diagnostics appear at once.
struct Console {
  std::string& out;
  std::ostream& err;
  WarningPrinter& warnings;
};

/// Runs the command; `arguments` without the program's name. Returns the exit status.
int run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

}  // namespace postconf
