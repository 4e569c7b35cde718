#include "tools/mta/smtp/receive_overrides.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "libconf/text.h"

namespace mta {
namespace {

struct Option {
  std::string_view name;
  bool ReceiveOverrides::*flag;
};

constexpr std::array kOptions = {
    Option{"no_unknown_recipient_checks", &ReceiveOverrides::no_unknown_recipient_checks},
    Option{"no_address_mappings", &ReceiveOverrides::no_address_mappings},
    Option{"no_header_body_checks", &ReceiveOverrides::no_header_body_checks},
    Option{"no_milters", &ReceiveOverrides::no_milters},
};

}  // namespace

libconf::Result<ReceiveOverrides> ReceiveOverrides::read(const libconf::Settings& settings) {
  constexpr const char* kParameter = "receive_override_options";
  const auto words = settings.get_list(kParameter);
  if (!words) return words.error();
  ReceiveOverrides overrides;
  for (const std::string& word : *words) {
    const auto* const known = std::find_if(kOptions.begin(), kOptions.end(), [&word](const Option& option) {
      return libconf::equals_ignoring_case(option.name, word);
    });
    if (known == kOptions.end())
      return libconf::configuration_error(
          libconf::concat("unknown ", kParameter, " value \"", word, "\" in \"", word, "\""));
    overrides.*known->flag = true;
  }
  return overrides;
}

void ReceiveOverrides::apply_to(libconf::Settings& settings) const {
  if (no_unknown_recipient_checks) settings.override_value("smtpd_reject_unlisted_recipient", "no");
}

}  // namespace mta
