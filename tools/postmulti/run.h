/// postmulti(1) as a function, for main() and for tests.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace postmulti {

/// Runs the command; `arguments` without the program's name. `postfix_program`: the path of postfix(1).
/// Returns the exit status.
int run(const std::vector<std::string>& arguments, const std::string& postfix_program, std::ostream& out,
        std::ostream& err);

}  // namespace postmulti
