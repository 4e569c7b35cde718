// What restriction lists name.
#include "libconf/text.h"
#include "tools/cli/nearest_name.h"
#include "tools/postlint/rules/restrictions.h"
#include "tools/postlint/rules/rules.h"

namespace postlint::rules {

using libconf::concat;
using mta::RestrictionKind;

void unknown_restriction(const SiteModel& site, Findings& findings) {
  std::vector<std::string_view> names;
  for (const mta::RestrictionType& type : mta::restriction_types()) names.push_back(type.name);
  for_each_restriction(site, [&](const RestrictionPlace& at) {
    if (at.restriction.type->kind != RestrictionKind::kUnknown) return;
    const std::string_view nearest = cli::nearest_name(at.restriction.text, names);
    findings.add(at.place(),
                 concat(at.list.parameter, " has no restriction called \"", at.restriction.text, "\"",
                        nearest.empty() ? "" : "; did you mean ", nearest, nearest.empty() ? "" : "?"));
  });
}

void restriction_arg(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers()) {
    if (server.class_error)
      findings.add(site.place_of(server.settings, "smtpd_restriction_classes"), server.class_error->message);
    for (const NamedRestrictions& named : server.lists)
      if (named.error) findings.add(site.place_of(server.settings, named.parameter), named.error->message);
  }
  for_each_restriction(site, [&](const RestrictionPlace& at) {
    const RestrictionKind kind = at.restriction.type->kind;
    if (kind != RestrictionKind::kUnknown && kind != RestrictionKind::kRemoved &&
        !at.restriction.warnings.empty())
      findings.add(at.place(), at.restriction.warnings.front());
  });
}

void removed_restriction(const SiteModel& site, Findings& findings) {
  // The warning of Postfix 3.9 says what to use instead.
  for_each_restriction(site, [&](const RestrictionPlace& at) {
    if (at.restriction.type->kind == RestrictionKind::kRemoved && !at.restriction.warnings.empty())
      findings.add(at.place(), at.restriction.warnings.front());
  });
}

}  // namespace postlint::rules
