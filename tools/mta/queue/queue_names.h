/// The names of the messages in a queue, step by step: a directory is never in memory as a whole.
///
///     QueueNames names(queue, Queue::kDeferred);
///     for (;;) {
///       auto name = names.next();
///       if (!name || !*name) break;        // an error, or the end
///       use(**name);
///     }
#pragma once

#include <dirent.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libconf/result.h"
#include "tools/mta/queue/queue_directory.h"

namespace mta {

/// Not thread-safe; the directory must outlive it. The queue lives on meanwhile: a message that comes or goes
/// may be told of or not, one that stays is.
class QueueNames {
 public:
  QueueNames(const QueueDirectory& queue, Queue which) : queue_(&queue), which_(which) {}

  /// The next file name that is a queue ID; nothing at the end, and then from the start again. Errors:
  /// kInputOutput, when the directory of the queue cannot be read.
  libconf::Result<std::optional<std::string>> next();

 private:
  struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };
  struct Level {
    std::string path;  ///< With a slash at its end.
    int depth;         ///< Of directories below it.
    std::unique_ptr<DIR, CloseDirectory> entries;
  };

  const QueueDirectory* queue_;
  Queue which_;
  std::vector<Level> levels_;  ///< Directories that are being read, one inside the other.
  bool is_open_ = false;
};

}  // namespace mta
