/// What makes a finding the same finding after an edit elsewhere in the file: its rule, the name of its file,
/// and the text of its line. Of equal ones the order counts.
#pragma once

#include <vector>

#include "tools/postlint/site_model.h"

namespace postlint {

/// Sets Finding::fingerprint, 16 hexadecimal digits. REQUIRES: findings are in the order of their places.
void add_fingerprints(const SiteModel& site, std::vector<Finding>& findings);

/// FNV-1a, 64 bits. Pure; the same on every machine.
std::uint64_t stable_hash(std::string_view text);

}  // namespace postlint
