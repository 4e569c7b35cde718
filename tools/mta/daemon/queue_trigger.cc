#include "tools/mta/daemon/queue_trigger.h"

#include <sys/socket.h>

#include <asio/post.hpp>
#include <cerrno>
#include <utility>

namespace mta {

/// Later in the same turn of the loop: messages that were made safe together are told of together.
void QueueTrigger::notify() {
  if (std::exchange(is_posted_, true)) return;
  asio::post(io_, [this] {
    is_posted_ = false;
    send();
  });
}

void QueueTrigger::send() {
  if (socket_.is_open() && send_to_open()) return;
  // The process that listened there has gone; another one may have come.
  asio::error_code failure;
  socket_.close(failure);
  socket_.open({}, failure);
  socket_.non_blocking(true, failure);
  if (!failure) socket_.connect(path_, failure);
  if (failure || !send_to_open()) socket_.close(failure);
}

/// False: nobody reads what is sent. A full buffer is as good as a request: there are some in it.
bool QueueTrigger::send_to_open() {
  constexpr char kRequest = 'I';
  return ::send(socket_.native_handle(), &kRequest, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 || errno == EAGAIN;
}

}  // namespace mta
