// What main.cf and master.cf say, whatever the host is for.
#include <map>

#include "libconf/parameter_table.h"
#include "libconf/text.h"
#include "libconf/value.h"
#include "tools/postlint/rules/restrictions.h"
#include "tools/postlint/rules/rules.h"

namespace postlint::rules {

using libconf::concat;
using libconf::Settings;

void dup_param(const SiteModel& site, Findings& findings) {
  std::map<std::string_view, const libconf::MainCfEntry*> last;
  for (const libconf::MainCfEntry& entry : site.main_cf().entries()) last[entry.name] = &entry;
  for (const libconf::MainCfEntry& entry : site.main_cf().entries()) {
    const libconf::MainCfEntry* effective = last[entry.name];
    if (entry.name.empty() || effective == &entry) continue;
    findings.add(site.place_of(entry),
                 concat(entry.name, " is set again in line ", std::to_string(effective->line),
                        "; this value does not count"));
  }
}

void unknown_restriction(const SiteModel& site, Findings& findings) {
  for_each_restriction(site, [&](const RestrictionPlace& at) {
    if (at.restriction.type->kind == mta::RestrictionKind::kUnknown)
      findings.add(at.place(),
                   concat(at.list.parameter, " has no restriction called \"", at.restriction.text, "\""));
  });
}

namespace {

void check_values(const SiteModel& site, const Settings& settings, const std::vector<std::string_view>& names,
                  Findings& findings) {
  for (const std::string_view name : names) {
    const libconf::Parameter* parameter = libconf::find_parameter(name);
    if (parameter == nullptr || libconf::is_raw(name)) continue;
    const libconf::Result<std::string> value = settings.get(name);
    if (!value) continue;
    if (const std::optional<libconf::Error> error = libconf::check_value(*parameter, *value))
      findings.add(site.place_of(settings, name, settings.value_of(name).value_or("")), error->message);
  }
}

}  // namespace

void bad_value(const SiteModel& site, Findings& findings) {
  check_values(site, site.settings(), site.settings().explicit_names(), findings);
  for (const Service& service : site.services()) {
    const std::vector<libconf::MasterOption> options = service.service().options();
    std::vector<std::string_view> names;
    names.reserve(options.size());
    for (const libconf::MasterOption& option : options) names.push_back(option.name);
    check_values(site, service.settings, names, findings);
  }
}

}  // namespace postlint::rules
