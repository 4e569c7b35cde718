/// Checks a whole Berkeley DB file before libdb, which trusts what it reads, gets to change it.
#pragma once

#include "libmaps/berkeley_db_btree.h"
#include "libmaps/berkeley_db_hash.h"

namespace libmaps::berkeley_db {

/// Checks that every page is where it belongs and used once, that links and counts agree, that items neither
/// leave their page nor overlap, and that keys are in the right bucket or in order. Errors: kDataCorrupt.
Result<void> check_structure(const HashFile& file);
Result<void> check_structure(const BtreeFile& file);

}  // namespace libmaps::berkeley_db
