#include "tools/mta/queue/spill_buffer.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace mta {

using libconf::Result;

void SpillBuffer::append(std::string_view bytes) {
  memory_ += bytes;
  if (queue_ != nullptr && memory_.size() > kMemory) spill();
}

void SpillBuffer::spill() {
  if (error_) {
    memory_.clear();
    return;
  }
  if (!file_) {
    Result<QueueFile> file = queue_->create(Queue::kIncoming, queue_time_now());
    if (!file) {
      error_ = file.error();
      return;
    }
    file_.emplace(std::move(*file));
  }
  if (const Result<void> done = file_->write_at(written_, memory_); !done) error_ = done.error();
  written_ += memory_.size();
  memory_.clear();
}

void SpillBuffer::clear() {
  memory_.clear();
  file_.reset();
  written_ = 0;
}

Result<std::string> SpillBuffer::read(std::uint64_t offset, std::size_t length) const {
  if (error_) return *error_;
  if (offset >= written_) {
    const std::uint64_t start = std::min<std::uint64_t>(offset - written_, memory_.size());
    return memory_.substr(start, length);
  }
  std::string bytes(std::min<std::uint64_t>(length, written_ - offset), '\0');
  const ssize_t count = ::pread(file_->fd(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
  if (count <= 0) return queue_error("read", "message content", count < 0 ? errno : EIO);
  bytes.resize(static_cast<std::size_t>(count));
  return bytes;
}

}  // namespace mta
