/// The checks of the group "master".
#pragma once

#include "tools/postlint/finding.h"
#include "tools/postlint/site_model.h"

namespace postlint::rules {

// master.cc
void field_count(const SiteModel& site, Findings& findings);
void opt_spaces(const SiteModel& site, Findings& findings);
void o_shadow(const SiteModel& site, Findings& findings);
void debug_flag(const SiteModel& site, Findings& findings);
void service_limit(const SiteModel& site, Findings& findings);
void service_wakeup(const SiteModel& site, Findings& findings);
void service_private(const SiteModel& site, Findings& findings);
void service_privilege(const SiteModel& site, Findings& findings);
void pipe_attributes(const SiteModel& site, Findings& findings);
void listen_twice(const SiteModel& site, Findings& findings);
void exposed_null_client(const SiteModel& site, Findings& findings);
void std_service_missing(const SiteModel& site, Findings& findings);

// master_files.cc
void program_missing(const SiteModel& site, Findings& findings);
void chroot_implicit(const SiteModel& site, Findings& findings);
void chroot_files(const SiteModel& site, Findings& findings);
void chroot_program(const SiteModel& site, Findings& findings);
void service_port(const SiteModel& site, Findings& findings);

// master_endpoints.cc
void endpoint(const SiteModel& site, Findings& findings);
void endpoint_form(const SiteModel& site, Findings& findings);

}  // namespace postlint::rules
