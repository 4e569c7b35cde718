/// How many recipients of a transport's messages may be in memory: SCHEDULER_README, "Dealing with memory
/// resource limits".
///
///     RecipientSlots slots(20000, 1000);
///     slots.add(message);                   // for each recipient that is read and goes by this transport
///     slots.read_all(message);              // none of the message is left in its file
///     slots.remove(message, 2);             // two have been dealt with
///
/// The oldest message that is not in memory as a whole gets all that others do not need; what a message has
/// of several transports, ActiveMessage::slots, is for all of its recipients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "tools/mta/queue/active_queue.h"

namespace mta {

/// Not thread-safe. A message must outlive its recipients here, or be forgotten.
class RecipientSlots {
 public:
  /// TRANSPORT_recipient_limit, TRANSPORT_extra_recipient_limit
  RecipientSlots(std::size_t limit, std::size_t extra) : unused_(limit), extra_(extra) {}

  /// A recipient is in memory.
  void add(ActiveMessage& message);

  /// So many have been dealt with.
  void remove(ActiveMessage& message, std::size_t recipients);

  /// All of the message's recipients have been read; REQUIRES: ActiveMessage::rest says so, too.
  void read_all(ActiveMessage& message);

  /// The message goes ahead of others: it is to have more of its recipients in memory, out of turn.
  void go_ahead(ActiveMessage& message);

  /// Nothing is known of the message any more.
  void forget(ActiveMessage& message);

 private:
  struct Share {
    ActiveMessage* message;
    std::size_t recipients = 0;  ///< In memory.
    std::size_t slots = 0;
    std::size_t extra = 0;  ///< So many of them come from extra_.
  };
  using Shares = std::map<std::uint64_t, Share>;

  Shares::iterator join(ActiveMessage& message);
  void give(Share& share, std::size_t slots);
  std::size_t take_back(Share& share, std::size_t kept);
  void pass_on(Share& share, std::size_t kept);

  Shares shares_;                             ///< By the number of the message.
  std::map<std::uint64_t, Share*> not_read_;  ///< Those with recipients in the file.
  std::size_t unused_;
  std::size_t extra_;
};

}  // namespace mta
