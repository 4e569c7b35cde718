/// postkick(1): sends a request to a service of the mail system.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace postkick {

/// `arguments` without the program's name. Returns the exit status.
int run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

}  // namespace postkick
