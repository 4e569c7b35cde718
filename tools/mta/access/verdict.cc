#include "tools/mta/access/verdict.h"

#include <array>
#include <cstddef>

namespace mta {

void MessageActions::add(const MessageActions& later) {
  hold = hold || later.hold;
  discard = discard || later.discard;
  if (later.filter) filter = later.filter;
  if (later.redirect) redirect = later.redirect;
  bcc.insert(bcc.end(), later.bcc.begin(), later.bcc.end());
  prepend.insert(prepend.end(), later.prepend.begin(), later.prepend.end());
}

std::string_view step_result_name(StepResult result) {
  constexpr std::array<std::string_view, 7> kNames = {
      "dunno", "permit", "reject", "discard", "defer_if_permit", "defer_if_reject", "reject_warning"};
  return kNames[static_cast<std::size_t>(result)];
}

}  // namespace mta
