#include "tools/postlint/rules/set_parameter.h"

namespace postlint::rules {

std::optional<Fix> set_parameter(const SmtpServer& server, std::string_view name, std::string_view value) {
  const auto setting = server.settings.explicit_setting(name);
  if (!setting || setting->origin.kind != libconf::OriginKind::kServiceOption)
    return Fix{.main_cf = {{std::string(name), std::string(value)}}};
  const libconf::MasterService& entry = server.service->service();
  return Fix{.master_cf = {{.kind = libconf::MasterCfChange::Kind::kSetParameter,
                            .service = entry.service(),
                            .type = entry.type(),
                            .name = std::string(name),
                            .value = std::string(value)}}};
}

}  // namespace postlint::rules
