/// Privileges are given up here, for good.
///
///     if (auto done = become_user(1000, 1000, ""); !done) return done.error();
#pragma once

#include <sys/types.h>

#include <string>

#include "libconf/result.h"

namespace deliver_as {

/// Makes this process one of `user` and `group`, without further groups, below `root` when that is not empty.
/// As root it refuses user 0 and group 0; as anybody else it can be only who it is. After an error the
/// process must end. Errors: kConfiguration for whom it does not become; kInputOutput.
libconf::Result<void> become_user(uid_t user, gid_t group, const std::string& root);

}  // namespace deliver_as
