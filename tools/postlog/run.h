/// postlog(1): writes to the mail log, for scripts.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace postlog {

/// `arguments` without the program's name. Returns the exit status.
int run(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out, std::ostream& err);

}  // namespace postlog
