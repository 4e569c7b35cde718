/// postsuper(1): deletes, holds, releases, requeues and expires messages, and puts the queue in order.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace postsuper {

/// `arguments` without the program's name; queue IDs of "-" come from `in`. Returns the exit status.
int run(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out, std::ostream& err);

}  // namespace postsuper
