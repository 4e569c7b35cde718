/// The program: deliver_as [DIRECTORY...], with the connection to whom it works for at the first inherited
/// descriptor. See serve.h.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace deliver_as {

/// Returns the exit status.
int run(std::vector<std::string> arguments, std::ostream& err);

}  // namespace deliver_as
