/// postmap and postalias as a function, for main() and for tests.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "tools/postmap/options.h"

namespace postmap {

/// Runs the command; `arguments` without the program's name; `input` is the descriptor of standard input.
/// Returns the exit status.
int run(const Program& program, const std::vector<std::string>& arguments, int input, std::ostream& out,
        std::ostream& err);

}  // namespace postmap
