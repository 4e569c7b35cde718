#include "tools/mta/daemon/empty_result.h"

#include "libconf/text.h"

namespace mta {

using libconf::concat;

std::array<std::string, 2> empty_result_warnings(std::string_view table, std::string_view key) {
  return {concat(table, " lookup of ", key, " returns an empty string result"),
          concat(table, " should return NO RESULT in case of NOT FOUND")};
}

}  // namespace mta
