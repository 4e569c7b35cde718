/// postcat(1): shows what is in queue files.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace postcat {

/// Without files it reads the descriptor `input`. Returns the exit status.
int run(const std::vector<std::string>& arguments, int input, std::ostream& out, std::ostream& err);

}  // namespace postcat
