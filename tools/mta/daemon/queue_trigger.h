/// Tells the queue manager that there is new mail, as whoever has put it into the queue does (qmgr(8), "I").
///
///     QueueTrigger trigger(io, "public/qmgr");
///     trigger.notify();      // for each message
///
/// However many messages there are, one request is on its way, and one connection is kept: what comes before
/// the queue manager has read the last request needs no other one.
#pragma once

#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <string>

namespace mta {

/// Not thread-safe. It must live until the event loop has run to its end.
class QueueTrigger {
 public:
  /// `path`: of the queue manager's UNIX-domain socket. Where nobody listens nothing is told: a queue manager
  /// looks for itself when it starts.
  QueueTrigger(asio::io_context& io, std::string path) : io_(io), path_(std::move(path)), socket_(io) {}

  /// There is new mail. Does not wait.
  void notify();

 private:
  void send();
  bool send_to_open();

  asio::io_context& io_;
  const std::string path_;
  asio::local::stream_protocol::socket socket_;
  bool is_posted_ = false;
};

}  // namespace mta
