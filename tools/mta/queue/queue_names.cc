#include "tools/mta/queue/queue_names.h"

#include <cerrno>
#include <utility>

#include "libconf/text.h"
#include "tools/mta/queue/queue_id.h"

namespace mta {

using libconf::Result;

Result<std::optional<std::string>> QueueNames::next() {
  if (!std::exchange(is_open_, true)) {
    std::string top = queue_->top_of(which_);
    DIR* const entries = ::opendir(top.c_str());
    if (entries == nullptr) {
      is_open_ = false;
      return queue_error("open directory ", top, errno);
    }
    levels_.push_back({std::move(top), queue_->depth_of(queue_name(which_)), {entries, {}}});
  }
  while (!levels_.empty()) {
    const dirent* const entry = ::readdir(levels_.back().entries.get());
    if (entry == nullptr) {
      levels_.pop_back();
      continue;
    }
    std::string name = entry->d_name;
    if (!is_queue_id(name)) continue;
    // Directories of hashing have one character.
    if (levels_.back().depth == 0 || name.size() > 1) return name;
    std::string path = libconf::concat(levels_.back().path, name, "/");
    if (DIR* const entries = ::opendir(path.c_str()); entries != nullptr)
      levels_.push_back({std::move(path), levels_.back().depth - 1, {entries, {}}});
  }
  is_open_ = false;
  return std::nullopt;
}

}  // namespace mta
