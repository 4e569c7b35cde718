// The right-hand sides of access tables.
#include "tests/fuzz/property.h"
#include "tools/mta/access/access_action.h"
#include "tools/mta/smtp/enhanced_status.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(data, size);
  const mta::AccessAction action = mta::parse_access_action(text, "table", "key");
  require(action.text.size() <= size, "an action is not longer than its entry");
  require(action.code == 0 || (action.code >= 400 && action.code <= 599), "an entry's own code refuses");
  require(action.status.empty() || mta::status_length(action.status) == action.status.size(),
          "a status is one");
  if (action.status.empty()) return 0;
  for (const auto subject :
       {mta::StatusSubject::kSender, mta::StatusSubject::kRecipient, mta::StatusSubject::kOther}) {
    const std::string fitting = mta::fitting_status(action.status, 550, subject);
    require(mta::status_length(fitting) == fitting.size() && fitting[0] == '5',
            "a fitting status is one, of the class");
    require(mta::fitting_status(fitting, 550, subject) == fitting, "what fits is left as it is");
  }
  return 0;
}
