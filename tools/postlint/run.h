/// The auditor: see postlint(1).
#pragma once

#include <istream>
#include <ostream>
#include <string>
#include <vector>

namespace postlint {

/// Exit statuses.
inline constexpr int kClean = 0;
inline constexpr int kHasFindings = 1;
inline constexpr int kBadUsage = 2;
inline constexpr int kCannotRun = 3;

/// Runs with the arguments behind the program's name. Returns the exit status.
int run(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out, std::ostream& err);

}  // namespace postlint
