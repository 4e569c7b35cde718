/// How long a file may become by what this process writes.
///
///     FileLimit limit(50'000'000);
///     // write(2) fails with EFBIG beyond it
#pragma once

#include <sys/resource.h>

#include <csignal>
#include <cstdint>

namespace deliver_as {

/// The soft limit, until the object goes; 0: none. The signal that comes with it is ignored from then on.
class FileLimit {
 public:
  explicit FileLimit(std::uint64_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    if (bytes == 0) return;
    ::signal(SIGXFSZ, SIG_IGN);  // NOLINT: the constant is the C library's
    rlimit limit = before_;
    limit.rlim_cur = bytes < limit.rlim_max ? static_cast<rlim_t>(bytes) : limit.rlim_max;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;
  ~FileLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace deliver_as
