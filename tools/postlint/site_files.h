/// Which files an audit is about, told from the command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libconf/result.h"
#include "tools/postlint/site_model.h"

namespace postlint {

/// Directories and files, as a person or pre-commit names them: each directory once. A file that is neither
/// main.cf nor master.cf stands for the configuration that lies beside it; "-" is a main.cf, whose text is
/// `standard_input`. Without operands: `directory`, below `root`. Errors: kInputOutput, where there is
/// neither a main.cf nor a master.cf.
libconf::Result<std::vector<SiteFiles>> find_sites(const std::vector<std::string>& operands,
                                                   const std::optional<std::string>& directory,
                                                   const std::string& root,
                                                   const std::string& standard_input);

}  // namespace postlint
