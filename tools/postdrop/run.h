/// postdrop(1): puts a message that a user submits into maildrop/.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace postdrop {

/// Reads the message from the descriptor `input`, and answers on `output`. Returns the exit status.
int run(const std::vector<std::string>& arguments, int input, int output, std::ostream& out,
        std::ostream& err);

}  // namespace postdrop
