/// Queue IDs: the names of messages, and of their files, in the forms of Postfix (postconf(5),
/// enable_long_queue_ids).
///
///     std::string id = mta::make_queue_id(QueueIdForm::kLong, now, status.st_ino);   // "4jcPpX1XVWz8NNP"
///     if (!mta::is_queue_id(name)) return;                                           // some other file
///     std::string place = mta::queue_subdirectory(name, depth) + name;               //
///     "3/5/4jcPpX1XVWz8NNP"
///
/// The inode number of the file makes a name unique in its file system while the file exists; the time makes
/// it unlikely to come back. Everything here is thread-safe.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mta {

/// A point in time, to the microsecond, as queue IDs and queue files tell it.
using QueueTime = std::chrono::sys_time<std::chrono::microseconds>;

/// What the clock says.
QueueTime queue_time_now();

enum class QueueIdForm {
  kShort,  ///< Microseconds in 5 hexadecimal digits, inode number in hexadecimal. Comes back in time.
  kLong,   ///< Seconds and microseconds in base 52, `z`, inode number in base 51. Does not come back.
};

/// What a queue ID tells.
struct QueueIdParts {
  QueueIdForm form = QueueIdForm::kShort;
  std::uint32_t microseconds = 0;                        ///< Of the second.
  std::optional<std::chrono::sys_seconds> seconds = {};  ///< Long IDs only.
  ino_t inode = 0;
};

/// The ID of the file with this inode number, made at `time`. REQUIRES: `time` is not before 1970.
std::string make_queue_id(QueueIdForm form, QueueTime time, ino_t inode);

/// Whether Postfix's programs take `name` for the name of a message: 1 to 255 letters, digits and `_`. Safe
/// in a path. Names that no make_queue_id() made are among them: a site may have renamed files.
bool is_queue_id(std::string_view name);

/// The parts of an ID as make_queue_id() makes them; nothing for any other text.
std::optional<QueueIdParts> parse_queue_id(std::string_view id);

/// Where a message stands in a directory of hash_queue_names: `depth` (hash_queue_depth) levels of
/// directories named by one character each, with a slash after each; empty for a depth of 0. They are the
/// first characters of a short ID, and those of the microseconds of a long one in 5 hexadecimal digits;
/// `_` where there is no more. REQUIRES: is_queue_id(id).
std::string queue_subdirectory(std::string_view id, int depth);

}  // namespace mta
