#include "libconf/service_parameters.h"

#include <algorithm>
#include <array>

#include "libconf/parameter_table.h"

namespace libconf {
namespace {

constexpr std::string_view kTimeLimit = "_time_limit";

struct CommandRule {
  std::string_view command;
  bool is_delivery_agent;
  bool has_time_limit;
};

constexpr std::array<CommandRule, 7> kCommands = {{
    {"error", true, false},
    {"lmtp", true, false},
    {"local", true, false},
    {"pipe", true, true},
    {"smtp", true, false},
    {"spawn", false, true},
    {"virtual", true, false},
}};

}  // namespace

void for_each_service_parameter(const MasterService& service,
                                const std::function<void(const std::string&, const std::string&)>& visit) {
  const std::string& command = service.field(MasterField::kCommand);
  const auto rule = std::find_if(kCommands.begin(), kCommands.end(),
                                 [&](const CommandRule& candidate) { return candidate.command == command; });
  if (rule == kCommands.end()) return;
  for (const DerivedParameter& row : derived_parameters("service")) {
    if (!(row.suffix == kTimeLimit ? rule->has_time_limit : rule->is_delivery_agent)) continue;
    visit(concat(service.service(), row.suffix), concat("$", row.default_from));
  }
}

}  // namespace libconf
