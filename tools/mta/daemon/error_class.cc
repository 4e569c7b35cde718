#include "tools/mta/daemon/error_class.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "libconf/text.h"

namespace mta {
namespace {

/// In the order of ErrorClass.
constexpr std::array<std::string_view, 8> kNames = {"bounce", "2bounce",  "data",     "delay",
                                                    "policy", "protocol", "resource", "software"};

}  // namespace

libconf::Result<ErrorClasses> read_notify_classes(const libconf::Settings& settings) {
  constexpr const char* kParameter = "notify_classes";
  const auto words = settings.get_list(kParameter);
  if (!words) return words.error();
  ErrorClasses classes;
  for (const std::string& word : *words) {
    const auto* const known = std::find(kNames.begin(), kNames.end(), word);
    if (known == kNames.end())
      return libconf::configuration_error(libconf::concat("unknown ", kParameter, " value \"", word,
                                                          "\" in \"", settings.get(kParameter).value_or(word),
                                                          "\""));
    classes |= static_cast<ErrorClass>(known - kNames.begin());
  }
  if (classes.has(ErrorClass::kBounce)) classes |= ErrorClass::kDoubleBounce;
  return classes;
}

}  // namespace mta
