// How recipients come into memory that had no room at first: the third part of queue_manager.h.
#include <algorithm>

#include "tools/mta/queue/queue_manager.h"

namespace mta {

using libconf::Result;

/// How many more recipients of a message may be in memory.
std::size_t QueueManager::room(const ActiveMessage& message) const {
  const std::size_t most = message.slots + recipient_minimum_;
  return most > message.waiting ? most - message.waiting : 0;
}

/// Transports get to know how much of the message is still to come.
void QueueManager::note_read(ActiveMessage& message) {
  message.read_time = Clock::now();
  if (!message.rest) message.unread = 0;
  for (const auto& [name, line] : lines_) {
    line->schedule.set_unread(message, message.unread);
    if (!message.rest) line->slots.read_all(message);
  }
}

/// REQUIRES: there are more. At least one is read, or it is known that none can be.
void QueueManager::read_more(ActiveMessage& message) {
  const std::size_t limit = std::max<std::size_t>(room(message), 1);
  ++message.waiting;
  Result<void> more = files_.open(message);
  if (more) more = files_.read_more(message, limit);
  if (!more) {
    say(Severity::kWarning, more.error().message);
    message.rest.reset();
    message.has_deferred = true;
  }
  assign(message);
  files_.close(message);
  --message.waiting;
}

/// Reads recipients of the message whose turn it is, when there is room for enough of them or it is time.
void QueueManager::refill(Line& line) {
  ActiveMessage* const message = line.schedule.current();
  if (message == nullptr || !message->rest) return;
  const std::size_t free = room(*message);
  if (free >= line.memory.refill ||
      (free > 0 && Clock::now() - message->read_time >= line.memory.refill_delay))
    read_more(*message);
}

}  // namespace mta
