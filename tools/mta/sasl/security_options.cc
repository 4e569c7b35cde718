#include "tools/mta/sasl/security_options.h"

#include <algorithm>
#include <array>
#include <optional>

#include "libconf/text.h"

namespace mta {
namespace {

struct OptionName {
  std::string_view name;
  bool SecurityOptions::*member;
};

constexpr std::array<OptionName, 6> kOptions = {{
    {"noplaintext", &SecurityOptions::noplaintext},
    {"noactive", &SecurityOptions::noactive},
    {"nodictionary", &SecurityOptions::nodictionary},
    {"noanonymous", &SecurityOptions::noanonymous},
    {"forward_secrecy", &SecurityOptions::forward_secrecy},
    {"mutual_auth", &SecurityOptions::mutual_auth},
}};

}  // namespace

libconf::Result<SecurityOptions> parse_security_options(std::string_view value) {
  SecurityOptions options;
  std::string_view rest = value;
  while (const std::optional<std::string_view> word = libconf::next_word(rest, libconf::kListSeparators)) {
    const auto* const found = std::find_if(kOptions.begin(), kOptions.end(), [&](const OptionName& each) {
      return libconf::equals_ignoring_case(each.name, *word);
    });
    if (found == kOptions.end()) {
      return libconf::configuration_error(
          libconf::concat("unknown SASL security options value \"", *word, "\" in \"", value, "\""));
    }
    options.*(found->member) = true;
  }
  return options;
}

libconf::Result<SecurityOptions> read_security_options(const libconf::Settings& settings,
                                                       std::string_view parameter) {
  const libconf::Result<std::string> value = settings.get(parameter);
  if (!value) return value.error();
  return parse_security_options(*value);
}

}  // namespace mta
