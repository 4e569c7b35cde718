#include "tools/mta/access/access_trace.h"

#include <array>
#include <cstddef>

namespace mta {

std::string_view step_result_name(StepResult result) {
  constexpr std::array<std::string_view, 7> kNames = {
      "dunno", "permit", "reject", "discard", "defer_if_permit", "defer_if_reject", "reject_warning"};
  return kNames[static_cast<std::size_t>(result)];
}

}  // namespace mta
