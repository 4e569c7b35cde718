/// The arguments of an edit, read and checked before any file is touched.
#pragma once

#include <string>
#include <vector>

#include "libconf/main_cf_document.h"
#include "libconf/master_cf_document.h"
#include "libconf/result.h"
#include "tools/postconf/run.h"

namespace postconf {

/// `name=value...` with -e, names with -X or -#. Errors are worded as Postfix's.
libconf::Result<libconf::MainCfEdit> main_cf_request(const Options& options, Console& console);

/// The same for -M, -F and -P.
libconf::Result<std::vector<libconf::MasterCfChange>> master_cf_request(const Options& options,
                                                                        Console& console);

}  // namespace postconf
