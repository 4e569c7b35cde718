/// What a dry run saw, as a tree that any printer can show.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace postexplain {

/// One thing that happened, and what happened within it.
struct TraceNode {
  std::string kind;        ///< For programs: "restriction", "lookup", "dns" and so on; see postexplain(1).
  std::string text;        ///< For people: one line.
  bool is_detail = false;  ///< For people only with --verbose: what came to nothing.
  std::vector<std::pair<std::string, std::string>> facts = {};  ///< For programs, by name.
  std::vector<TraceNode> steps = {};
};

}  // namespace postexplain
