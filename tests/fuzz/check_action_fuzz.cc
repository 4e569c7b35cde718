// Actions of header_checks(5): what is read is an action with a sound argument, or a warning, and reading it
// again gives the same.
#include <string>

#include "tests/fuzz/property.h"
#include "tools/mta/content/check_action.h"

using mta::CheckAction;
using mta::CheckActionKind;
using mta::CheckTarget;

namespace {

void check(std::string_view value, CheckTarget target) {
  const CheckAction action = mta::parse_check_action(value, target, "checks");
  const bool is_rejection = action.kind == CheckActionKind::kReject;
  require(is_rejection == (action.code == 550 || action.code == 451), "a rejection has a code");
  require(is_rejection != action.status.empty(), "a rejection has a status");
  if (!is_rejection) {
    require(action.warning.empty() || action.kind == CheckActionKind::kDunno, "what is wrong does nothing");
    require(action.text.empty() || value.ends_with(action.text), "the argument is the end of the value");
    return;
  }
  require(action.status[0] == (action.code == 550 ? '5' : '4'), "code and status agree");
  require(!action.text.empty(), "a rejection says why");
  const CheckAction again =
      mta::parse_check_action("REJECT " + action.status + " " + action.text, target, "checks");
  require(again.status == action.status && again.text == action.text && again.warning.empty(),
          "a rejection is read back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value = as_text(data, size);
  check(value, CheckTarget::kHeader);
  check(value, CheckTarget::kBody);
  const CheckAction sent =
      mta::parse_check_action(value, CheckTarget::kHeader, "checks", mta::CheckScope::kDelivery);
  require(sent.code == 0 && sent.status.empty(), "a delivery rejects nothing");
  return 0;
}
