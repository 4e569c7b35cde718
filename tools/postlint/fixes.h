/// Applies the fixes of findings to the files of a configuration.
///
///     auto fixed = fixed_files(site, findings, warnings);
///     for (const FixedFile& file : *fixed) show(unified_diff(file.before, file.after, ...));
///
/// Edits are those of libconf: what they are not about keeps its bytes.
#pragma once

#include <string>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/result.h"
#include "tools/postlint/site_model.h"

namespace postlint {

struct FixedFile {
  std::string file;
  std::string before;
  std::string after;
};

/// The files that the fixes change, as they would be. Where two fixes set the same parameter, the first
/// counts. Errors: those of editing master.cf.
libconf::Result<std::vector<FixedFile>> fixed_files(const SiteModel& site,
                                                    const std::vector<Finding>& findings,
                                                    libconf::DiagnosticSink& warnings);

}  // namespace postlint
