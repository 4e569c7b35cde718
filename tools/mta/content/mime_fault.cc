#include "tools/mta/content/mime_fault.h"

#include <array>

namespace mta {

std::string_view describe(MimeFault fault) {
  constexpr std::array<std::string_view, kMimeFaults> kTexts = {
      "MIME nesting exceeds safety limit",
      "improper use of 8-bit data in message header",
      "improper use of 8-bit data in message body",
      "invalid message/* or multipart/* encoding domain",
  };
  return kTexts[static_cast<std::size_t>(fault)];
}

}  // namespace mta
