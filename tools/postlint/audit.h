/// Runs the rules over a configuration.
///
///     std::vector<Finding> found = audit(site, {.ignored = {"banner-leak"}}).findings;
///
/// Which rules run: those of the site's profile, or those that were selected by name, less the ignored ones.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/postlint/finding.h"
#include "tools/postlint/site_model.h"

namespace postlint {

/// Names are ids of rules, or of their groups.
struct AuditChoice {
  std::vector<std::string> selected = {};  ///< Empty: all of the profile.
  std::vector<std::string> ignored = {};
  std::map<std::string, Severity, std::less<>> severities = {};
};

struct AuditResult {
  std::vector<Finding> findings = {};  ///< By file and line; each once.
  std::size_t suppressed = 0;          ///< Those that a comment in the file takes back.
};

AuditResult audit(const SiteModel& site, const AuditChoice& choice);

}  // namespace postlint
