/// The directories of a mail system, for what makes them and for what checks them.
#pragma once

#include <sys/types.h>

#include <array>
#include <string_view>

namespace mta {

enum class SpoolOwner { kRoot, kMail };
enum class SpoolGroup { kRoot, kSetgid };

struct SpoolDirectory {
  std::string_view name;
  mode_t mode;
  SpoolOwner owner = SpoolOwner::kMail;
  SpoolGroup group = SpoolGroup::kRoot;
};

/// What is in queue_directory, and who may do what there; so `postfix check` of Postfix makes it.
inline constexpr std::array kSpoolDirectories = {
    SpoolDirectory{"active", 0700},
    SpoolDirectory{"bounce", 0700},
    SpoolDirectory{"corrupt", 0700},
    SpoolDirectory{"defer", 0700},
    SpoolDirectory{"deferred", 0700},
    SpoolDirectory{"flush", 0700},
    SpoolDirectory{"hold", 0700},
    SpoolDirectory{"incoming", 0700},
    SpoolDirectory{"maildrop", 0730, SpoolOwner::kMail, SpoolGroup::kSetgid},
    SpoolDirectory{"pid", 0755, SpoolOwner::kRoot},
    SpoolDirectory{"private", 0700},
    SpoolDirectory{"public", 0710, SpoolOwner::kMail, SpoolGroup::kSetgid},
    SpoolDirectory{"saved", 0700},
    SpoolDirectory{"spare", 0700},
    SpoolDirectory{"trace", 0700},
};

}  // namespace mta
