#include "tools/postsuper/queue_walk.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "libconf/text.h"

namespace postsuper {
namespace {

using libconf::concat;
using libconf::Result;
using Visit = std::function<Result<void>(const QueueEntry&)>;

/// All names at once: what is renamed on the way is not seen twice.
Result<std::vector<std::string>> names_in(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(path.c_str()), ::closedir);
  if (!entries) return mta::queue_error("open directory ", path, errno);
  std::vector<std::string> names;
  while (const dirent* const entry = ::readdir(entries.get()))
    if (const std::string_view name = entry->d_name; name != "." && name != "..") names.emplace_back(name);
  return names;
}

/// `depth`: how many levels of hashing are below.
Result<void> walk(const std::string& path, int depth, const Visit& visit) {
  const Result<std::vector<std::string>> names = names_in(path);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    const std::string file = concat(path, "/", name);
    struct stat status {};
    if (::lstat(file.c_str(), &status) != 0) continue;
    if (S_ISDIR(status.st_mode)) {
      // One that cannot be read, or is gone, is not one of ours.
      if (Result<void> done = walk(file, depth - 1, visit);
          !done && done.error().kind != libconf::ErrorKind::kInputOutput)
        return done;
      if (depth <= 0) ::rmdir(file.c_str());
    } else if (S_ISREG(status.st_mode)) {
      if (Result<void> done = visit({file, name, status.st_ino, status.st_mode, status.st_mtime}); !done)
        return done;
    }
  }
  return {};
}

}  // namespace

Result<void> walk_queue(const mta::QueueDirectory& queue, const std::string& directory, const Visit& visit) {
  return walk(directory, queue.depth_of(directory), visit);
}

}  // namespace postsuper
