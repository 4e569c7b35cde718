/// postlock(1): runs a command while a mailbox is locked.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace postlock {

/// `arguments` without the program's name. Returns the exit status.
int run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

}  // namespace postlock
