/// Bytes of unknown number that are read again soon: the first of them in memory, more in a file without a
/// name, in the file system of the queue. Without a queue, all of them are in memory.
///
///     SpillBuffer buffer(queue);
///     buffer.append(bytes);
///     Result<std::string> portion = buffer.read(0, 4096);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libconf/result.h"
#include "tools/mta/queue/queue_directory.h"

namespace mta {

/// Not thread-safe; the queue must outlive it.
class SpillBuffer {
 public:
  /// What stays in memory, in bytes.
  static constexpr std::size_t kMemory = std::size_t{256} << 10;

  SpillBuffer() = default;
  explicit SpillBuffer(const QueueDirectory& queue) : queue_(&queue) {}

  void append(std::string_view bytes);
  void clear();
  std::uint64_t size() const { return written_ + memory_.size(); }

  /// Up to `length` bytes from `offset` on; empty: there are no more. Errors: as queue_error(), also those of
  /// append().
  libconf::Result<std::string> read(std::uint64_t offset, std::size_t length) const;

 private:
  void spill();

  const QueueDirectory* queue_ = nullptr;
  std::optional<QueueFile> file_;
  std::uint64_t written_ = 0;  ///< Bytes in the file; those in memory follow.
  std::string memory_;
  std::optional<libconf::Error> error_;
};

}  // namespace mta
