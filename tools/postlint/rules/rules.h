/// The check of every rule: for the rule table, which says what each is about.
#pragma once

#include "tools/postlint/finding.h"
#include "tools/postlint/site_model.h"

namespace postlint::rules {

// syntax.cc
void dup_param(const SiteModel& site, Findings& findings);
void unknown_restriction(const SiteModel& site, Findings& findings);
void bad_value(const SiteModel& site, Findings& findings);

// relay.cc
void open_relay(const SiteModel& site, Findings& findings);
void mynetworks_wide(const SiteModel& site, Findings& findings);

}  // namespace postlint::rules
