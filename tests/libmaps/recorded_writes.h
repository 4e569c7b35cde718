/// What this process does to files with pwrite(), fdatasync() and ftruncate(), in its order: so a test can
/// have a crash after each step. Include it in one file of a test program: it defines these functions.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace libmaps {

struct RecordedWrite {
  enum Kind : std::uint8_t { kWrite, kSync, kTruncate } kind;
  std::uint64_t position = 0;  ///< Of kTruncate: the new size.
  std::string bytes = {};
};

/// Records as long as it lives, and tells `observe` before each step is done.
class RecordedWrites {
 public:
  using Observer = std::function<void(const RecordedWrite&)>;

  explicit RecordedWrites(Observer observe = [](const RecordedWrite&) {}) : observe_(std::move(observe)) {
    current_ = this;
  }
  RecordedWrites(const RecordedWrites&) = delete;
  RecordedWrites& operator=(const RecordedWrites&) = delete;
  ~RecordedWrites() { current_ = nullptr; }

  const std::vector<RecordedWrite>& steps() const { return steps_; }

  static void add(RecordedWrite write) {
    if (current_ == nullptr) return;
    current_->observe_(write);
    current_->steps_.push_back(std::move(write));
  }

 private:
  inline static RecordedWrites* current_ = nullptr;
  Observer observe_;
  std::vector<RecordedWrite> steps_;
};

}  // namespace libmaps

extern "C" {

ssize_t pwrite(int fd, const void* bytes, std::size_t size, off_t position) {
  libmaps::RecordedWrites::add({libmaps::RecordedWrite::kWrite, static_cast<std::uint64_t>(position),
                                std::string(static_cast<const char*>(bytes), size)});
  return ::syscall(SYS_pwrite64, fd, bytes, size, position);
}

int fdatasync(int fd) {
  libmaps::RecordedWrites::add({libmaps::RecordedWrite::kSync});
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

int ftruncate(int fd, off_t size) noexcept {
  libmaps::RecordedWrites::add({libmaps::RecordedWrite::kTruncate, static_cast<std::uint64_t>(size)});
  return static_cast<int>(::syscall(SYS_ftruncate, fd, size));
}

}  // extern "C"
