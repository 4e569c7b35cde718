/// The logs of messages in bounce/, defer/ and trace/ (bounce(8)).
///
///     NoticeLogs logs(queue);
///     Result<void> added = logs.append(NoticeKind::kFailure, id, notice_entry(...));
///     Result<std::vector<NoticeEntry>> entries = logs.read(NoticeKind::kFailure, id);
///
/// An entry is added whole or not at all; what a crash cut off goes with the next one that is added, and is
/// never taken for an entry. An entry of what will not be tried again is on the disk when append() returns:
/// the recipient may then be marked as dealt with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/delivery/delivery_agent.h"
#include "tools/mta/delivery/notifier.h"
#include "tools/mta/queue/notice_log.h"
#include "tools/mta/queue/queue_directory.h"

namespace mta {

/// The directory below queue_directory: "bounce", "defer" or "trace".
std::string_view notice_directory(NoticeKind kind);

/// What is to be written down of a recipient. Pure; thread-safe.
NoticeEntry notice_entry(NoticeKind kind, const QueueRecipient& recipient, const RecipientReport& report);

/// Not thread-safe; the queue must outlive it.
class NoticeLogs {
 public:
  /// Errors: as the getters of Settings.
  static libconf::Result<NoticeLogs> open(const QueueDirectory& queue, const libconf::Settings& settings);

  /// Errors: as queue_error(); the log is as it was before.
  libconf::Result<void> append(NoticeKind kind, std::string_view queue_id, const NoticeEntry& entry) const;

  /// The entries; none where there is no log. Errors: as queue_error().
  libconf::Result<std::vector<NoticeEntry>> read(NoticeKind kind, std::string_view queue_id) const;

  /// No error where there is no log. Errors: as queue_error().
  libconf::Result<void> remove(NoticeKind kind, std::string_view queue_id) const;

 private:
  NoticeLogs(const QueueDirectory& queue, bool has_sentences)
      : queue_(queue), has_sentences_(has_sentences) {}

  const QueueDirectory& queue_;
  bool has_sentences_;  ///< backwards_bounce_logfile_compatibility
};

}  // namespace mta
