/// qshape(1): how the mail in the queue is spread over domains and ages.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace qshape {

/// `arguments` without the program's name. Returns the exit status.
int run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

}  // namespace qshape
