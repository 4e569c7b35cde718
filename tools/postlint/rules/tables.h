/// The checks of the group "tables".
#pragma once

#include "tools/postlint/finding.h"
#include "tools/postlint/site_model.h"

namespace postlint::rules {

// tables.cc
void faults_of_kind(TableFaultKind kind, const SiteModel& site, Findings& findings);

/// What one pass over each table finds of a kind.
template <TableFaultKind kKind>
void table_faults(const SiteModel& site, Findings& findings) {
  faults_of_kind(kKind, site, findings);
}

void map_type(const SiteModel& site, Findings& findings);
void map_missing(const SiteModel& site, Findings& findings);
void map_relative(const SiteModel& site, Findings& findings);
void map_unindexed(const SiteModel& site, Findings& findings);
void map_index_unused(const SiteModel& site, Findings& findings);
void map_wrong_type(const SiteModel& site, Findings& findings);
void proxymap(const SiteModel& site, Findings& findings);
void sasl_no_entry(const SiteModel& site, Findings& findings);

// tables_secrets.cc
void secret_perms(const SiteModel& site, Findings& findings);
void secret_in_main(const SiteModel& site, Findings& findings);
void owner_perms(const SiteModel& site, Findings& findings);

}  // namespace postlint::rules
