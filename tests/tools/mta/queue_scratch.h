/// An empty queue in a temporary directory, which goes with the object.
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/libconf/temp_directory.h"

namespace mta {

class QueueScratch {
 public:
  QueueScratch() {
    for (const char* name : {"maildrop", "incoming", "active", "deferred", "hold", "corrupt"})
      std::filesystem::create_directory(directory_.path(name));
  }

  std::string path() const { return directory_.path(); }

  void write(const std::string& name, const std::string& text, mode_t mode) const {
    const std::filesystem::path file = directory_.path(name);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    ::chmod(file.c_str(), mode);
  }

  /// All files, sorted, relative to path().
  std::vector<std::string> files() const {
    std::vector<std::string> result;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path()))
      if (!entry.is_directory()) result.push_back(entry.path().string().substr(path().size() + 1));
    std::sort(result.begin(), result.end());
    return result;
  }

 private:
  postkit_test::TempDirectory directory_;
};

}  // namespace mta
