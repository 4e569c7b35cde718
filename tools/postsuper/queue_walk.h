/// The files below one directory of the queue, whatever they are.
///
///     walk_queue(queue, "deferred", [](const QueueEntry& entry) { ...; return Result<void>(); });
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <functional>
#include <string>

#include "tools/mta/queue/queue_directory.h"

namespace postsuper {

struct QueueEntry {
  std::string path;  ///< From queue_directory on: "deferred/A/ABC123".
  std::string name;  ///< "ABC123"
  ino_t inode;
  mode_t mode;
  time_t modified;

  /// The owner's execute bit says that the file is complete.
  bool is_complete() const { return (mode & S_IXUSR) != 0; }
};

/// Calls `visit` for each regular file at any depth; what is made meanwhile may or may not be seen, what is
/// gone is not. Directories below those of hashing are removed when they are empty. REQUIRES: queue_directory
/// is the working directory. Errors: kInputOutput for the directory itself; those of `visit`, which end it.
libconf::Result<void> walk_queue(const mta::QueueDirectory& queue, const std::string& directory,
                                 const std::function<libconf::Result<void>(const QueueEntry&)>& visit);

}  // namespace postsuper
