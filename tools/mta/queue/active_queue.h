/// The messages in active/: what the queue manager knows of each, and what it does to their files.
///
///     Result<std::unique_ptr<ActiveMessage>> message = files.take_up(due, 1000);
///     ...deliver to (*message)->recipients...
///     files.mark_done(**message, recipient);
///     files.put_off(**message, when);          // or files.remove(**message)
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libconf/handle.h"
#include "libconf/result.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/delivery/delivery_agent.h"
#include "tools/mta/delivery/notifier.h"
#include "tools/mta/queue/notice_log.h"
#include "tools/mta/queue/queue_message.h"
#include "tools/mta/queue/queue_scans.h"

namespace mta {

/// A message that is being delivered. Its queue file may be closed in between.
struct ActiveMessage {
  /// What is the same in all of its deliveries; transport, nexthop and recipients are empty.
  DeliveryRequest request;
  NoticeSubject subject() const;
  /// Each recipient gets the message from a sender of its own (VERP_README).
  bool has_own_senders() const { return verp_delimiters.size() == 2 && !request.sender.empty(); }
  bool is_probe() const { return request.purpose == DeliveryPurpose::kProbe; }
  static constexpr std::int64_t kWarned = -1;  ///< As Postfix writes it (confirm_delay_cleared).

  std::string filter;
  std::string redirect;
  std::string verp_delimiters;
  int trace_flags = 0;  ///< TraceFlag
  std::optional<MessageSizes> sizes;
  /// Of a notice that mail is late, seconds since 1970; 0: none is wanted; kWarned: it was sent, and what is
  /// delivered now is news to the sender.
  std::int64_t warning_time = 0;
  std::uint64_t warning_offset = 0;

  std::vector<QueueRecipient> recipients;  ///< Read, and not looked at yet.
  std::optional<RecordPlace> rest;         ///< Those that are not in memory.
  std::size_t waiting = 0;                 ///< Recipients in memory, and whoever works at the message.
  std::size_t unread = 0;                  ///< Recipients that are not in memory.
  std::uint64_t number = 0;                ///< In the order in which messages were taken up.
  std::size_t slots = 0;                   ///< RecipientSlots: so many of its recipients may be in memory.
  std::chrono::steady_clock::time_point read_time = {};  ///< When recipients were read.
  libconf::FileDescriptor file;                          ///< Open for reading and writing, or closed.
  int users = 0;                                         ///< Of the file.
  bool is_locked = false;  ///< The file stays open as long as the message is of interest.

  bool is_urgent = false;            ///< DueMessage
  bool is_fresh = false;             ///< DueMessage
  bool is_expired = false;           ///< What fails for now is returned to the sender.
  bool is_forced_to_expire = false;  ///< Everything is.
  std::map<std::uint64_t, NoticeEntry> delays =
      {};  ///< Of what is forced to expire, by QueueRecipient::offset.
  bool has_deferred = false;
  bool has_expired = false;
  bool has_failed = false;   ///< The sender is to be told.
  bool has_probes = false;   ///< Likewise, as it asked for.
  bool has_traces = false;   ///< Likewise, as it asked for.
  bool is_given_up = false;  ///< Another process goes on with it when this delivery is over.
};

/// Not thread-safe. All references must outlive it.
class ActiveQueue {
 public:
  ActiveQueue(const QueueDirectory& queue, MailLog& log) : queue_(queue), log_(log) {}

  /// Moves a message to active/, and reads it: up to `recipient_limit` recipients. A file that makes no sense
  /// goes to corrupt/. Null: it is not there any more, or cannot be had; the log has the reason.
  std::unique_ptr<ActiveMessage> take_up(const DueMessage& due, std::size_t recipient_limit);

  /// Reads the next recipients. Errors: as read_more_recipients().
  libconf::Result<void> read_more(ActiveMessage& message, std::size_t recipient_limit);

  /// Opens the file, if it is closed. Errors: as queue_error().
  libconf::Result<void> open(ActiveMessage& message);
  /// The file is not needed now: closes it, when many are open.
  void close(ActiveMessage& message);
  /// Closes it in any case: the message is of no more interest.
  void release(ActiveMessage& message);

  /// The recipient has been dealt with. Errors: as queue_error().
  libconf::Result<void> mark_done(ActiveMessage& message, const QueueRecipient& recipient);
  /// The sender knows that the message is late.
  void mark_warned(ActiveMessage& message);

  /// Moves the message to deferred/; the next attempt is at that time. A message that cannot be moved stays,
  /// and is found by the next process.
  void put_off(ActiveMessage& message, std::chrono::sys_seconds when);

  /// Errors are logged.
  void remove(ActiveMessage& message);

  /// Takes a lock on the file, so that the next process leaves it alone as long as this one is at work.
  void lock(ActiveMessage& message);

  /// What is in active/.
  std::vector<std::string> left_behind() const;

  /// Moves these from active/ to incoming/. Returns those that another process is still at work at.
  std::vector<std::string> recover(const std::vector<std::string>& ids) const;

 private:
  void say(Severity severity, std::string_view text) const {
    log_.write({.program = "qmgr"}, severity, text);
  }
  std::string path_of(const ActiveMessage& message) const {
    return queue_.path_of(Queue::kActive, message.request.queue_id);
  }
  void reject(const std::string& id, const libconf::Error& error) const;

  const QueueDirectory& queue_;
  MailLog& log_;
  std::size_t open_files_ = 0;
};

}  // namespace mta
