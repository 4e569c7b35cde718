/// Telling whether a file is still what it was.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

namespace libmaps {

/// What changes with a file's content. Two stats that differ in nothing of it are taken for one content.
struct FileVersion {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  timespec modified = {};

  static FileVersion of(const struct stat& status) {
    return {status.st_dev, status.st_ino, status.st_size, status.st_mtim};
  }

  /// Of what `path` leads to now; nothing when it leads nowhere.
  static std::optional<FileVersion> at(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return std::nullopt;
    return of(status);
  }

  bool is_same_file(const FileVersion& other) const { return device == other.device && inode == other.inode; }

  bool operator==(const FileVersion& other) const {
    return is_same_file(other) && size == other.size && modified.tv_sec == other.modified.tv_sec &&
           modified.tv_nsec == other.modified.tv_nsec;
  }
};

}  // namespace libmaps
