#include "tools/mta/queue/queue_file_reader.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "libconf/file.h"

namespace mta {
namespace {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

constexpr std::size_t kBlock = std::size_t{64} << 10;

/// Type and length: as much as is needed to tell how long a record is.
constexpr std::size_t kLongestHeader = 8;

}  // namespace

Result<QueueFileReader> QueueFileReader::open(int fd, std::string name) {
  QueueFileReader reader(std::move(name));
  struct stat status {};
  if (::fstat(fd, &status) != 0) return libconf::io_error("fstat ", reader.name_, errno);
  if (!S_ISREG(status.st_mode)) return reader.corrupt(0, "not a regular file");
  reader.fd_ = fd;
  reader.size_ = static_cast<std::uint64_t>(status.st_size);
  return reader;
}

QueueFileReader QueueFileReader::over(std::string_view bytes) {
  QueueFileReader reader("queue file");
  reader.memory_ = bytes;
  reader.size_ = bytes.size();
  return reader;
}

void QueueFileReader::seek(std::uint64_t offset, RecordGroup group) {
  position_ = offset;
  group_ = group;
  taken_ = 0;
  is_at_end_ = false;
}

/// Up to the end of the file, or at least `wanted` bytes.
Result<std::string_view> QueueFileReader::bytes_at(std::uint64_t offset, std::size_t wanted) {
  if (offset >= size_) return std::string_view();
  if (fd_ < 0) return memory_.substr(static_cast<std::size_t>(offset));
  wanted = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, size_ - offset));
  const bool is_there = offset >= buffer_start_ && offset - buffer_start_ <= buffer_.size() &&
                        buffer_.size() - (offset - buffer_start_) >= wanted;
  if (!is_there) {
    buffer_.resize(std::max(wanted, kBlock));
    buffer_start_ = offset;
    std::size_t filled = 0;
    while (filled < wanted) {
      const ssize_t count =
          ::pread(fd_, buffer_.data() + filled, buffer_.size() - filled, static_cast<off_t>(offset + filled));
      if (count == 0) break;
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) {
        const int error_number = errno;
        buffer_.clear();
        return libconf::io_error("read ", name_, error_number);
      }
      filled += static_cast<std::size_t>(count);
    }
    buffer_.resize(filled);
  }
  return std::string_view(buffer_).substr(static_cast<std::size_t>(offset - buffer_start_));
}

Result<QueueRecord> QueueFileReader::read_record() {
  std::size_t wanted = kLongestHeader;
  for (;;) {
    const Result<std::string_view> bytes = bytes_at(position_, wanted);
    if (!bytes) return bytes.error();
    const auto record = decode_record(*bytes, position_);
    if (!record)
      return Error{.kind = ErrorKind::kDataCorrupt, .message = name_ + ": " + record.error().message};
    if (*record) return **record;
    if (bytes->size() < wanted) return corrupt(position_, "unexpected end of file");
    wanted = std::max(2 * wanted, kBlock);
  }
}

/// What a record means for the way through the file.
Result<void> QueueFileReader::take(const QueueRecord& record) {
  if (!find_record_type(static_cast<char>(record.type))->is_allowed_in(group_))
    return corrupt(record.offset,
                   "misplaced record of type " + std::string(1, static_cast<char>(record.type)));
  taken_ += record.end - record.offset;
  if (taken_ > size_) return corrupt(record.offset, "pointers lead in circles");
  position_ = record.end;
  switch (record.type) {
    case RecordType::kContent:
      group_ = RecordGroup::kContent;
      break;
    case RecordType::kExtracted:
      group_ = RecordGroup::kExtracted;
      break;
    case RecordType::kEnd:
      is_at_end_ = true;
      break;
    case RecordType::kPointer: {
      const std::optional<std::int64_t> target = parse_record_number(record.payload);
      if (!target || *target < 0) return corrupt(record.offset, "malformed pointer");
      if (static_cast<std::uint64_t>(*target) >= size_)
        return corrupt(record.offset, "pointer behind the end");
      if (*target != 0) position_ = static_cast<std::uint64_t>(*target);
      break;
    }
    default:
      break;
  }
  return {};
}

Result<std::optional<QueueRecord>> QueueFileReader::next_with_pointers() {
  if (is_at_end_) return std::nullopt;
  const Result<QueueRecord> record = read_record();
  if (!record) return record.error();
  const Result<void> taken = take(*record);
  if (!taken) return taken.error();
  return *record;
}

Result<std::optional<QueueRecord>> QueueFileReader::next() {
  for (;;) {
    auto record = next_with_pointers();
    if (!record || !*record) return record;
    const RecordType type = (*record)->type;
    if (type != RecordType::kPointer && type != RecordType::kPadding && type != RecordType::kKilled)
      return record;
  }
}

Error QueueFileReader::corrupt(std::uint64_t offset, std::string_view reason) const {
  return {.kind = ErrorKind::kDataCorrupt,
          .message = name_ + ": offset " + std::to_string(offset) + ": " + std::string(reason)};
}

}  // namespace mta
