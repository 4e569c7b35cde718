/// What senders are told about their mail: bounce(8), with its logs of each message in bounce/, defer/ and
/// trace/ (RFC 3464; bounce(5)).
///
///     notifier.record(NoticeKind::kFailure, message, recipient, report);      // for each that failed
///     if (!co_await notifier.send(NoticeKind::kFailure, message)) keep(message);
#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "libconf/result.h"
#include "tools/mta/delivery/delivery_agent.h"
#include "tools/mta/queue/queue_id.h"
#include "tools/mta/queue/queue_message.h"

namespace mta {

enum class NoticeKind : std::uint8_t {
  kFailure,  ///< Recipients that mail will never reach; logged in bounce/.
  kDelay,    ///< Mail is late, and still on its way; logged in defer/.
  kTrace,    ///< What became of mail, as was asked for: NOTIFY=SUCCESS, sendmail -v; logged in trace/.
  kProbe,    ///< What would become of mail: sendmail -bv; logged in trace/.
};

/// The message that a notice is about. Addresses are in internal form.
struct NoticeSubject {
  std::string queue_id;
  std::string sender;    ///< Empty: the null sender, who is never told.
  std::string encoding;  ///< "7bit", "8bit", or empty: not known.
  std::string envelope_id = {};
  int return_flags = 0;  ///< A ReturnFlag.
  int send_options = 0;  ///< An OR of SendOption.
  int trace_flags = 0;   ///< As in the queue file; 0: neither sendmail -v nor -bv.
  std::string verp_delimiters = {};
  QueueTime arrival;
  std::uint64_t content_size = 0;  ///< In bytes
};

/// Not thread-safe; several notices may be under way at a time.
class Notifier {
 public:
  Notifier() = default;
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;
  virtual ~Notifier() = default;

  /// Adds to the log of the message what became of a recipient. Errors: as queue_error().
  virtual libconf::Result<void> record(NoticeKind kind, std::string_view queue_id,
                                       const QueueRecipient& recipient, const RecipientReport& report) = 0;

  /// Puts a notice that says what the log of this kind says into the queue, as far as the sender wants to
  /// know (notify_classes: or the postmaster), and removes the log but for kDelay. `message` is the queue
  /// file, open for reading. Nothing happens where there is no log. False: it could not be done now; the
  /// message must be kept, and the log is.
  virtual asio::awaitable<bool> send(NoticeKind kind, const NoticeSubject& subject, int message) = 0;

  /// Forgets a log, if there is one: at the start of a run what the last run said of delays. Errors: as
  /// queue_error().
  virtual libconf::Result<void> forget(NoticeKind kind, std::string_view queue_id) = 0;
};

}  // namespace mta
