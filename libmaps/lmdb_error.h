/// What liblmdb and our own code for its files complain about in the same words.
#pragma once

#include <lmdb.h>

#include "libmaps/system_error.h"
#include "libmaps/table.h"

namespace libmaps {

/// The error that a code of liblmdb stands for, in its words; an errno value is one, too.
inline Error lmdb_error(int code) {
  switch (code) {
    case MDB_BAD_VALSIZE:
      return libconf::configuration_error(mdb_strerror(code));
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
      return {.kind = ErrorKind::kDataCorrupt, .message = mdb_strerror(code)};
    default:
      return {.kind = ErrorKind::kInputOutput, .message = mdb_strerror(code)};
  }
}

}  // namespace libmaps
