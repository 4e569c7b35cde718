/// Reads the records of a file as they stand there, whatever they are: for tools that show what is in a
/// queue, damaged files included. What carries mail reads with QueueFileReader, which takes nothing amiss.
///
///     mta::RawRecords records(fd, "hold/4jcPpX1XVWz8NNP");
///     for (;;) {
///       auto record = records.next();               // error; nothing: the file ends here; or a record
///       if (!record || !*record) break;
///       if ((*record)->type == 'p') records.seek(target);
///     }
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libconf/result.h"

namespace mta {

/// A record of any type. `payload` is valid until the next call of the reader.
struct RawRecord {
  std::uint64_t offset;  ///< Of the type byte.
  unsigned char type;
  std::string_view payload;
};

/// Not thread-safe.
class RawRecords {
 public:
  /// Reads `fd`, which stays the caller's: a file from its start, or a pipe from where it stands.
  explicit RawRecords(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

  /// The next record; nothing at the end. Errors: kDataCorrupt, with the reason, when the file ends within a
  /// record, or the length of one is no length; kInputOutput.
  libconf::Result<std::optional<RawRecord>> next();

  /// The type of the next record, which stays the next; nothing at the end. Errors: kInputOutput, with the
  /// reason only.
  libconf::Result<std::optional<unsigned char>> peek();

  /// Goes to `offset`, wherever that is. Errors: kInputOutput, for what is behind in a pipe.
  libconf::Result<void> seek(std::uint64_t offset);

  /// Where the next record starts.
  std::uint64_t position() const { return position_; }

 private:
  libconf::Result<bool> fill(std::size_t wanted);
  libconf::Error corrupt(std::string reason) const;

  int fd_;
  std::string name_;
  std::string buffer_;     ///< What stands at position_, as far as it was read.
  std::size_t taken_ = 0;  ///< Of buffer_, in front of position_.
  std::uint64_t position_ = 0;
  bool is_pipe_ = false;
};

/// The number at the start of a payload, behind blanks, as scanf(3) would have it; nothing when there is
/// none.
std::optional<std::int64_t> leading_number(std::string_view payload);

}  // namespace mta
