#include "tools/postsuper/actions.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "libconf/text.h"
#include "tools/mta/queue/queue_id.h"
#include "tools/mta/queue/queue_lister.h"

namespace postsuper {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;
using mta::Queue;

struct CountInfo {
  Count count;
  std::string_view total;  ///< "TOTAL: N messages"
  std::string_view one;    ///< "ID: ONE"
};
constexpr std::array<CountInfo, kCounts> kCountInfo = {{
    {Count::kRenamed, "Renamed to match inode number", ""},
    {Count::kRequeued, "Requeued", "requeued"},
    {Count::kDeleted, "Deleted", "removed"},
    {Count::kExpired, "Force-expired", "expired"},
    {Count::kHeld, "Placed on hold", "placed on hold"},
    {Count::kReleased, "Released from hold", "released from hold"},
}};
constexpr std::array kWithMessages = {Queue::kMaildrop, Queue::kIncoming, Queue::kActive, Queue::kDeferred,
                                      Queue::kHold};
constexpr std::array<std::string_view, 3> kLogs = {"bounce", "defer", "trace"};
/// As Postfix has it: by then nobody writes to such a file any more.
constexpr std::time_t kOld = 7 * 24 * 60 * 60;
constexpr int kPasses = 2;

const std::vector<std::string_view> kInQueue = {"hold", "incoming", "active", "deferred"};
const std::vector<std::string_view> kNotHeld = {"incoming", "active", "deferred"};

const std::vector<Action>& actions() {
  static const std::vector<Action> table = {
      {'d',
       {"hold", "incoming", "active", "deferred", "maildrop"},
       {"maildrop", "bounce", "incoming", "active", "deferred", "hold", "defer"},
       &Actions::remove_message,
       &Actions::remove_file,
       {Count::kDeleted}},
      {'e', kInQueue, kInQueue, &Actions::expire, &Actions::expire, {Count::kExpired}},
      {'f',
       kInQueue,
       kInQueue,
       &Actions::expire_and_release,
       &Actions::expire_and_release,
       {Count::kExpired, Count::kReleased}},
      {'h', kNotHeld, kNotHeld, &Actions::hold, &Actions::hold, {Count::kHeld}},
      {'H', {"hold"}, {"hold"}, &Actions::release, &Actions::release, {Count::kReleased}},
      {'r', kInQueue, kInQueue, &Actions::requeue_as_new, &Actions::requeue, {Count::kRequeued}},
  };
  return table;
}

Error failed(std::string_view what, const std::string& path) {
  return {.kind = ErrorKind::kTemporary, .message = concat(what, " ", path, ": ", std::strerror(errno))};
}

bool has_messages(std::string_view directory) {
  return std::any_of(kWithMessages.begin(), kWithMessages.end(),
                     [&](Queue each) { return queue_name(each) == directory; });
}

/// False: there was none.
Result<bool> unlink_if_there(const std::string& path) {
  if (::unlink(path.c_str()) == 0) return true;
  if (errno == ENOENT) return false;
  return failed("remove file", path);
}

/// False: there is no such file any more. What already stands there is not replaced.
Result<bool> rename_file(const std::string& from, const std::string& path) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno == ENOENT) return false;
  return failed(concat("rename file ", from, " as"), path);
}

/// The name that the file should have; the same one, when it may stay; nothing for what is no name of a
/// message.
std::optional<std::string> right_name(const QueueEntry& entry, mta::QueueIdForm form,
                                      bool checks_long_names) {
  const std::optional<mta::QueueIdParts> parts = mta::parse_queue_id(entry.name);
  if (!parts) return std::nullopt;
  const bool is_long = parts->form == mta::QueueIdForm::kLong;
  if (is_long && form == mta::QueueIdForm::kLong && !checks_long_names) return entry.name;
  const mta::QueueTime time =
      parts->seconds.value_or(std::chrono::sys_seconds()) + std::chrono::microseconds(parts->microseconds);
  return mta::make_queue_id(is_long ? form : mta::QueueIdForm::kShort, time, entry.inode);
}

}  // namespace

const Action* find_action(char letter) {
  const auto found = std::find_if(actions().begin(), actions().end(),
                                  [letter](const Action& each) { return each.letter == letter; });
  return found == actions().end() ? nullptr : &*found;
}

bool Actions::is_meant(std::string_view directory) const {
  return directories_.empty() ||
         std::find(directories_.begin(), directories_.end(), directory) != directories_.end();
}

void Actions::count(Count which, const QueueEntry& entry) {
  const auto index = static_cast<std::size_t>(which);
  ++numbers_[index];
  if (names_each_) program_.say(concat(entry.name, ": ", kCountInfo[index].one));
}

void Actions::report() {
  for (const CountInfo& info : kCountInfo) {
    const std::size_t number = numbers_[static_cast<std::size_t>(info.count)];
    if (!is_asked_for_[static_cast<std::size_t>(info.count)] && number == 0) continue;
    program_.say(concat(info.total, ": ", std::to_string(number), number == 1 ? " message" : " messages"));
  }
  if (numbers_[static_cast<std::size_t>(Count::kRenamed)] > 0)
    program_.warn("QUEUE FILE NAMES WERE CHANGED TO MATCH INODE NUMBERS");
}

void Actions::ask_for(const Action& action) {
  for (const Count each : action.counts) is_asked_for_[static_cast<std::size_t>(each)] = true;
}

Result<void> Actions::apply(const Action& action, const std::string& id) {
  names_each_ = true;
  if (!mta::is_queue_id(id)) {
    // Once for each thing that would be done, as Postfix has it.
    for (std::size_t i = 0; i < action.counts.size(); ++i)
      program_.warn(concat("invalid mail queue id: ", id));
    return {};
  }
  for (const std::string_view directory : action.one) {
    if (!is_meant(directory)) continue;
    const std::string name(directory);
    const std::string path = queue_.log_path_of(name, id).substr(2);
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    const QueueEntry entry{path, id, status.st_ino, status.st_mode, status.st_mtime};
    if (!entry.is_complete()) continue;
    const Result<bool> done = (this->*action.to_one)(name, entry);
    if (!done) return done.error();
    if (*done) return {};
  }
  return {};
}

Result<void> Actions::apply_to_all(const Action& action) {
  names_each_ = false;
  for (const std::string_view directory : action.all) {
    if (!is_meant(directory)) continue;
    const std::string name(directory);
    const Result<void> done = walk_queue(queue_, name, [&](const QueueEntry& entry) -> Result<void> {
      if (action.letter != 'd' && !mta::is_queue_id(entry.name)) {
        program_.warn(concat("bogus file name: ", entry.path));
        return {};
      }
      const Result<bool> one = (this->*action.to_all)(name, entry);
      if (!one) return one.error();
      return {};
    });
    if (!done) return done;
  }
  return {};
}

Result<bool> Actions::remove_message(const std::string&, const QueueEntry& entry) {
  for (const std::string_view log : kLogs)
    if (Result<bool> done = unlink_if_there(queue_.log_path_of(log, entry.name).substr(2)); !done)
      return done;
  Result<bool> done = unlink_if_there(entry.path);
  if (done && *done) count(Count::kDeleted, entry);
  return done;
}

Result<bool> Actions::remove_file(const std::string& directory, const QueueEntry& entry) {
  Result<bool> done = unlink_if_there(entry.path);
  if (done && *done && has_messages(directory) && entry.is_complete()) count(Count::kDeleted, entry);
  return done;
}

Result<bool> Actions::move(const QueueEntry& entry, Queue to, Count which) {
  const Result<std::string> made = queue_.directory_of(to, entry.name);
  if (!made) return made.error();
  const Result<bool> done = rename_file(entry.path, queue_.path_of(to, entry.name).substr(2));
  if (done && *done) count(which, entry);
  return done;
}

Result<bool> Actions::hold(const std::string&, const QueueEntry& entry) {
  return move(entry, Queue::kHold, Count::kHeld);
}

Result<bool> Actions::release(const std::string&, const QueueEntry& entry) {
  return move(entry, Queue::kDeferred, Count::kReleased);
}

Result<bool> Actions::requeue(const std::string&, const QueueEntry& entry) {
  return move(entry, Queue::kMaildrop, Count::kRequeued);
}

/// pickup(8) does not wait for a time that lies in the future.
Result<bool> Actions::requeue_as_new(const std::string& directory, const QueueEntry& entry) {
  const timespec now{.tv_sec = std::time(nullptr), .tv_nsec = 0};
  const timespec times[] = {now, now};
  if (::utimensat(AT_FDCWD, entry.path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0 && errno != ENOENT)
    return failed("reset file time stamps for", entry.path);
  return requeue(directory, entry);
}

Result<bool> Actions::expire(const std::string&, const QueueEntry& entry) {
  if (!entry.is_complete() || (entry.mode & mta::kForcedToExpire) != 0) return true;
  if (::chmod(entry.path.c_str(), (entry.mode | mta::kForcedToExpire) & 07777) != 0) {
    if (errno == ENOENT) return false;
    return failed("chmod", entry.path);
  }
  count(Count::kExpired, entry);
  return true;
}

Result<bool> Actions::expire_and_release(const std::string& directory, const QueueEntry& entry) {
  Result<bool> done = expire(directory, entry);
  if (!done || !*done || directory != queue_name(Queue::kHold)) return done;
  return release(directory, entry);
}

Result<void> Actions::purge() {
  const std::time_t limit = std::time(nullptr) - kOld;
  for (const Queue queue : kWithMessages) {
    const std::string directory(queue_name(queue));
    if (!is_meant(directory)) continue;
    const Result<void> done = walk_queue(queue_, directory, [limit](const QueueEntry& entry) -> Result<void> {
      if (entry.is_complete() || entry.modified > limit) return {};
      const Result<bool> removed = unlink_if_there(entry.path);
      if (!removed) return removed.error();
      return {};
    });
    if (!done) return done;
  }
  return {};
}

/// Returns whether the file has another place now.
Result<bool> Actions::repair_file(const std::string& directory, const QueueEntry& entry,
                                  bool checks_long_names) {
  std::optional<std::string> name = entry.name;
  if (has_messages(directory)) {
    name = right_name(entry, queue_.id_form(), checks_long_names);
  } else if (!mta::is_queue_id(entry.name)) {
    name.reset();
  }
  if (!name) {
    program_.warn(concat("bogus file name: ", entry.path));
    return false;
  }
  const std::string path = queue_.log_path_of(directory, *name).substr(2);
  if (path == entry.path) return false;
  if (Result<void> made = queue_.make_directory_of(directory, *name); !made) return made.error();
  const Result<bool> moved = rename_file(entry.path, path);
  if (!moved || !*moved || *name == entry.name) return moved;
  ++numbers_[static_cast<std::size_t>(Count::kRenamed)];
  for (const std::string_view log : kLogs) {
    const std::string old_log = queue_.log_path_of(log, entry.name).substr(2);
    if (::access(old_log.c_str(), F_OK) != 0) continue;
    if (Result<void> made = queue_.make_directory_of(log, *name); !made) return made.error();
    const Result<bool> renamed = rename_file(old_log, queue_.log_path_of(log, *name).substr(2));
    if (!renamed) return renamed;
  }
  return true;
}

Result<void> Actions::repair(bool checks_long_names) {
  // A place may be free only when the file there has found its own.
  for (int pass = 0; pass < kPasses; ++pass) {
    bool has_changed = false;
    for (const std::string_view each : kDirectories) {
      if (!is_meant(each)) continue;
      const std::string directory(each);
      const Result<void> done = walk_queue(queue_, directory, [&](const QueueEntry& entry) -> Result<void> {
        const Result<bool> changed = repair_file(directory, entry, checks_long_names);
        if (!changed) return changed.error();
        has_changed = has_changed || *changed;
        return {};
      });
      if (!done) return done;
    }
    if (!has_changed) break;
  }
  return {};
}

}  // namespace postsuper
