/// postexplain(1) as a function.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace postexplain {

/// `arguments` are those behind the program's name. Returns the exit status: 0 as expected, 1 not, 2 a
/// mistake in the command line or in a file of cases, 3 it could not run.
int run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

}  // namespace postexplain
