/// The check of every rule: for the rule table, which says what each is about.
#pragma once

#include "tools/postlint/finding.h"
#include "tools/postlint/site_model.h"

namespace postlint::rules {

// syntax.cc
void malformed_line(const SiteModel& site, Findings& findings);
void dup_param(const SiteModel& site, Findings& findings);
void dup_service(const SiteModel& site, Findings& findings);
void quoted_value(const SiteModel& site, Findings& findings);
void template_residue(const SiteModel& site, Findings& findings);
void suspicious_layout(const SiteModel& site, Findings& findings);
void bad_ignore(const SiteModel& site, Findings& findings);

// parameters.cc
void bad_value(const SiteModel& site, Findings& findings);
void unused_param(const SiteModel& site, Findings& findings);
void undef_ref(const SiteModel& site, Findings& findings);
void ref_cycle(const SiteModel& site, Findings& findings);
void bad_expression(const SiteModel& site, Findings& findings);
void deprecated_param(const SiteModel& site, Findings& findings);
void version_mismatch(const SiteModel& site, Findings& findings);
void compat_level(const SiteModel& site, Findings& findings);

// restriction_syntax.cc
void unknown_restriction(const SiteModel& site, Findings& findings);
void restriction_arg(const SiteModel& site, Findings& findings);
void removed_restriction(const SiteModel& site, Findings& findings);

// relay.cc
void open_relay(const SiteModel& site, Findings& findings);
void mynetworks_wide(const SiteModel& site, Findings& findings);

}  // namespace postlint::rules
