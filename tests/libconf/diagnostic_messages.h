/// What a run reported, for comparison with a list of texts.
#pragma once

#include <string>
#include <vector>

#include "libconf/diagnostic.h"

namespace libconf {

inline std::vector<std::string> messages(const DiagnosticList& list) {
  std::vector<std::string> out;
  for (const Diagnostic& d : list.items()) out.push_back(d.message);
  return out;
}

}  // namespace libconf
