/// Which message the queue manager takes up next: one from incoming/, one from deferred/ whose time has come,
/// in turn (qmgr(8), "fairness").
///
///     QueueScans scans(queue, log);
///     scans.want(Queue::kIncoming);
///     while (scans.has_work())
///       if (auto due = scans.next()) take_up(*due);
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/queue/queue_directory.h"
#include "tools/mta/queue/queue_names.h"

namespace mta {

struct DueMessage {
  std::string id;
  Queue queue;
  mode_t mode;     ///< Of its file.
  bool is_urgent;  ///< Its time did not count.
  bool is_fresh;   ///< Nobody has tried to deliver it yet.
};

/// Not thread-safe. All references must outlive it.
class QueueScans {
 public:
  QueueScans(const QueueDirectory& queue, MailLog& log);

  /// Looks through incoming/ or deferred/; once more, when that is being done already.
  void want(Queue queue);

  /// Looks through incoming/ as at first: what another process has left is there, too.
  void want_again();

  /// The next look through deferred/ takes messages whose time has not come yet, too.
  void ignore_times() { deferred_.next_is_urgent = true; }

  bool has_work() const { return incoming_.has_work() || deferred_.has_work(); }

  /// Looks at some files. Nothing: none of these is due.
  std::optional<DueMessage> next();

 private:
  struct Scan {
    Scan(const QueueDirectory& directory, Queue which) : queue(which), names(directory, which) {}
    bool has_work() const { return is_running || is_wanted; }
    Queue queue;
    QueueNames names;
    bool is_running = false;
    bool is_wanted = false;
    bool is_urgent = false;
    bool next_is_urgent = false;
    int distrusted = 0;  ///< So many looks find what may have been tried by another process.
  };
  std::optional<DueMessage> look(Scan& scan);

  const QueueDirectory& queue_;
  MailLog& log_;
  Scan incoming_;
  Scan deferred_;
  bool is_turn_of_deferred_ = false;
};

}  // namespace mta
