/// Whom files and processes belong to.
#pragma once

#include <sys/types.h>

namespace mta {

struct Identity {
  uid_t user;
  gid_t group;
};

}  // namespace mta
