/// postqueue(1): shows the queue, and has mail delivered now.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace postqueue {

/// `arguments` without the program's name. Returns the exit status.
int run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

}  // namespace postqueue
