#include "tools/mta/queue/queue_scans.h"

#include <sys/stat.h>

#include <chrono>
#include <ctime>
#include <utility>

namespace mta {
namespace {

/// How many files are looked at before others have their turn.
constexpr int kPortion = 100;

/// time(2) is some milliseconds late, and in the first ones of a second it is the second before: what has
/// come then would not be due before the next look.
std::time_t now() { return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()); }

}  // namespace

QueueScans::QueueScans(const QueueDirectory& queue, MailLog& log)
    : queue_(queue), log_(log), incoming_(queue, Queue::kIncoming), deferred_(queue, Queue::kDeferred) {}

void QueueScans::want(Queue queue) { (queue == Queue::kIncoming ? incoming_ : deferred_).is_wanted = true; }

void QueueScans::want_again() {
  incoming_.is_wanted = true;
  incoming_.distrusted = incoming_.is_running ? 2 : 1;
}

std::optional<DueMessage> QueueScans::next() {
  for (int i = 0; i < 2; ++i) {
    is_turn_of_deferred_ = !is_turn_of_deferred_;
    if (auto due = look(is_turn_of_deferred_ ? deferred_ : incoming_)) return due;
  }
  return std::nullopt;
}

std::optional<DueMessage> QueueScans::look(Scan& scan) {
  if (!scan.has_work()) return std::nullopt;
  if (!std::exchange(scan.is_running, true)) {
    scan.is_wanted = false;
    scan.is_urgent = std::exchange(scan.next_is_urgent, false);
  }
  for (int i = 0; i < kPortion; ++i) {
    libconf::Result<std::optional<std::string>> name = scan.names.next();
    if (!name) log_.write({.program = "qmgr"}, libconf::Severity::kWarning, name.error().message);
    if (!name || !*name) {
      scan.is_running = false;
      if (scan.distrusted > 0) --scan.distrusted;
      return std::nullopt;
    }
    struct stat status {};
    if (::lstat(queue_.path_of(scan.queue, **name).c_str(), &status) != 0) continue;
    if (!S_ISREG(status.st_mode) || (status.st_mode & S_IXUSR) == 0) continue;
    // The clock is looked at later than the file: what was written just now is due.
    if (!scan.is_urgent && status.st_mtime > now()) continue;
    return DueMessage{.id = std::move(**name),
                      .queue = scan.queue,
                      .mode = status.st_mode,
                      .is_urgent = scan.is_urgent,
                      .is_fresh = scan.queue == Queue::kIncoming && scan.distrusted == 0};
  }
  return std::nullopt;
}

}  // namespace mta
