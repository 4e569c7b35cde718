/// Reads the records of a queue file in their logical order: where a milter changed the message, pointer
/// records lead to what was put in at the end of the file, and back.
///
///     auto reader = mta::QueueFileReader::open(fd, "incoming/4jcPpX1XVWz8NNP");
///     for (;;) {
///       auto record = reader->next();
///       if (!record) return record.error();
///       if (!*record) break;                // the end, and the file is complete
///       use(**record);
///     }
///
/// Reads what Postfix or Postkit wrote, and survives any other bytes: every record is checked, no byte is
/// read twice on the way (so pointers cannot lead in circles), memory is bounded. See read_queue_message()
/// for the whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libconf/result.h"
#include "tools/mta/queue/queue_record.h"

namespace mta {

/// Not thread-safe. A file that is written to meanwhile may give an error, nothing worse.
class QueueFileReader {
 public:
  /// Reads `fd`, which stays the caller's and must be open as long as the reader is used; its file position
  /// does not matter. `name` is for messages. Errors: kInputOutput; kDataCorrupt when it is no regular file.
  static libconf::Result<QueueFileReader> open(int fd, std::string name);

  /// Reads bytes in memory, which must live longer.
  static QueueFileReader over(std::string_view bytes);

  QueueFileReader(QueueFileReader&&) noexcept = default;
  QueueFileReader& operator=(QueueFileReader&&) noexcept = default;

  /// The next record that says something, valid until the next call; pointers are followed, padding is passed
  /// over. Nothing after the end record. Errors: kDataCorrupt, "FILE: offset N: REASON", for a file that is
  /// damaged or not complete; kInputOutput when it cannot be read.
  libconf::Result<std::optional<QueueRecord>> next();

  /// As next(), and shows pointers and padding, too. For tools.
  libconf::Result<std::optional<QueueRecord>> next_with_pointers();

  /// Goes to `offset`, where a record of that group starts.
  void seek(std::uint64_t offset, RecordGroup group);

  /// For messages.
  const std::string& name() const { return name_; }
  /// The group of the next record.
  RecordGroup group() const { return group_; }
  /// Where the next record starts, or a pointer to it.
  std::uint64_t position() const { return position_; }

 private:
  explicit QueueFileReader(std::string name) : name_(std::move(name)) {}
  libconf::Result<std::string_view> bytes_at(std::uint64_t offset, std::size_t wanted);
  libconf::Result<QueueRecord> read_record();
  libconf::Result<void> take(const QueueRecord& record);
  libconf::Error corrupt(std::uint64_t offset, std::string_view reason) const;

  std::string name_;
  int fd_ = -1;
  std::string_view memory_;         ///< All of it, when there is no file.
  std::string buffer_;              ///< Else this part of the file...
  std::uint64_t buffer_start_ = 0;  ///< ...from here on.
  std::uint64_t size_ = 0;
  std::uint64_t position_ = 0;
  std::uint64_t taken_ = 0;  ///< Bytes of all records since the last seek().
  RecordGroup group_ = RecordGroup::kEnvelope;
  bool is_at_end_ = false;
};

}  // namespace mta
