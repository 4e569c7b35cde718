/// Queue files that Postfix 3.7 wrote, and damaged ones: the seeds of the fuzz target.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "libconf/file.h"
#include "tools/mta/queue/queue_file_writer.h"

namespace mta {

inline std::string queue_sample(const std::string& name) {
  const auto bytes = libconf::read_file(POSTKIT_TEST_DATA "/../fuzz/corpus/queue_file/" + name);
  EXPECT_TRUE(bytes) << bytes.error().message;
  return bytes.value_or("");
}

/// Takes what a writer makes, and can refuse it as a full disk does.
class StringOutput : public QueueOutput {
 public:
  libconf::Result<void> write_at(std::uint64_t offset, std::string_view text) override {
    ++writes;
    if (offset + text.size() > capacity)
      return libconf::Error{.kind = libconf::ErrorKind::kTemporary, .message = "No space left on device"};
    if (bytes.size() < offset + text.size()) bytes.resize(offset + text.size());
    bytes.replace(offset, text.size(), text);
    return {};
  }

  std::string bytes;
  std::size_t capacity = std::string::npos;
  int writes = 0;
};

}  // namespace mta
