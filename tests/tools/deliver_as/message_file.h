/// A queue file with a message, and a directory for what is delivered.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "libconf/file.h"
#include "libconf/handle.h"
#include "tests/libconf/temp_directory.h"
#include "tools/mta/queue/queue_record.h"

namespace deliver_as {

class MessageFile {
 public:
  explicit MessageFile(const std::vector<std::string>& lines) {
    std::string bytes;
    append_record(bytes, mta::RecordType::kSender, "ann@example.org");
    append_record(bytes, mta::RecordType::kContent, "");
    offset_ = bytes.size();
    for (const std::string& line : lines) append_record(bytes, mta::RecordType::kLine, line);
    append_record(bytes, mta::RecordType::kExtracted, "");
    append_record(bytes, mta::RecordType::kEnd, "");
    const std::string path = directory_.path("queue_file");
    std::ofstream(path) << bytes;
    file_ = libconf::FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  }

  int get() const { return file_.get(); }
  std::uint64_t content_offset() const { return offset_; }
  std::string path(const std::string& name) const { return directory_.path(name); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }
  std::string read(const std::string& name) const {
    return libconf::read_file(path(name)).value_or("(none)");
  }
  std::size_t count(const std::string& name) const {
    std::size_t found = 0;
    if (!std::filesystem::exists(path(name))) return 0;
    for (const auto& each : std::filesystem::directory_iterator(path(name))) found += each.exists() ? 1 : 0;
    return found;
  }

 private:
  postkit_test::TempDirectory directory_;
  libconf::FileDescriptor file_;
  std::uint64_t offset_ = 0;
};

}  // namespace deliver_as
