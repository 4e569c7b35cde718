/// A configuration in a temporary directory, for tests of the auditor.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "tools/postlint/site_model.h"

namespace postlint {

/// Removes its directory at the end.
class ScratchSite {
 public:
  explicit ScratchSite(const std::map<std::string, std::string>& files) {
    std::string name = testing::TempDir() + "postlint-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    for (const auto& [file, text] : files) std::ofstream(path(file)) << text;
    const auto given = [&](const std::string& file) {
      return files.contains(file) ? path(file) : std::string();
    };
    auto loaded = SiteModel::load(
        {.main_cf = given("main.cf"), .master_cf = given("master.cf"), .config_directory = directory_});
    EXPECT_TRUE(loaded);
    if (loaded) site_ = std::move(*loaded);
  }
  ~ScratchSite() { std::filesystem::remove_all(directory_); }
  ScratchSite(const ScratchSite&) = delete;
  ScratchSite& operator=(const ScratchSite&) = delete;

  std::string path(const std::string& file) const { return directory_ + "/" + file; }
  const SiteModel& operator*() const { return *site_; }
  const SiteModel* operator->() const { return site_.get(); }

 private:
  std::string directory_;
  std::unique_ptr<SiteModel> site_;
};

}  // namespace postlint
