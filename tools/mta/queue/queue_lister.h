/// The messages that are in the queue now, one after the other, as showq(8) tells of them.
///
///     mta::QueueLister lister(queue, {.null_address = "MAILER-DAEMON"});
///     for (;;) {
///       auto message = lister.next();
///       if (!message || !*message) break;           // an error, or the end
///       print(**message);
///     }
///
/// The queue lives on meanwhile: a message may be seen twice, or not at all. Files that are not complete, or
/// damaged before their sender, are passed over.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/queue/queue_directory.h"
#include "tools/mta/queue/queue_names.h"

namespace mta {

/// A recipient who still waits.
struct ListedRecipient {
  std::string address;  ///< In its external form.
  std::string reason;   ///< Why delivery was put off; empty: nothing is known.

  friend bool operator==(const ListedRecipient&, const ListedRecipient&) = default;
};

struct ListedMessage {
  std::string queue;  ///< "deferred" and so on.
  std::string id;
  std::int64_t arrival_time = 0;  ///< Seconds since 1970.
  std::int64_t size = 0;          ///< Of the content in bytes; of the file where that is not known.
  bool is_forced_to_expire = false;
  std::string sender;  ///< In its external form.
  std::vector<ListedRecipient> recipients = {};

  friend bool operator==(const ListedMessage&, const ListedMessage&) = default;
};

/// The mode of a file has this bit when the message is forced to expire (postsuper(1), -e and -f).
constexpr mode_t kForcedToExpire = S_IXGRP;

/// What the file open at `fd` says; nothing when that is not even a sender. `message` has what is known of
/// it, and the size and time that count when the file does not tell them. Any bytes are taken.
std::optional<ListedMessage> read_listed_message(int fd, ListedMessage message,
                                                 std::string_view null_address);

/// Not thread-safe; the directory must outlive it.
class QueueLister {
 public:
  struct Options {
    std::string null_address = "MAILER-DAEMON";  ///< empty_address_recipient
    std::size_t duplicate_limit = 1000;          ///< duplicate_filter_limit; 0: none.

    /// Errors: kConfiguration.
    static libconf::Result<Options> read(const libconf::Settings& settings);
  };

  QueueLister(const QueueDirectory& queue, Options options);
  QueueLister(const QueueLister&) = delete;
  QueueLister& operator=(const QueueLister&) = delete;

  /// Errors: kInputOutput, when the directory of a queue cannot be read.
  libconf::Result<std::optional<ListedMessage>> next();

 private:
  std::optional<ListedMessage> read(const std::string& id) const;
  void add_reasons(ListedMessage& message) const;

  const QueueDirectory& queue_;
  const Options options_;
  std::size_t current_ = 0;  ///< In the order of the listing.
  QueueNames names_;
};

}  // namespace mta
