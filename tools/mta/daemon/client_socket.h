/// A connection to another server, over TCP or a UNIX-domain socket, whose waits have an end: what clients of
/// milters and of before-queue filters are made of.
///
///     auto socket = std::make_shared<ClientSocket>(executor);
///     std::string fault = co_await socket->connect(place, 30s);
///     if (fault.empty()) fault = co_await socket->write(request, 30s);
///     if (fault.empty()) fault = co_await socket->read(reply, 30s);
///
/// Every operation says in words why it failed; empty: it did not. After a failure the connection is of no
/// more use.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "tools/mta/daemon/server_place.h"

namespace mta {

/// Owned by shared_ptr, because its timer may outlive who asks. Used on one executor, by one coroutine at a
/// time.
class ClientSocket : public std::enable_shared_from_this<ClientSocket> {
 public:
  using Duration = std::chrono::milliseconds;

  explicit ClientSocket(const asio::any_io_executor& executor) : socket_(executor), deadline_(executor) {}

  asio::awaitable<std::string> connect(ServerPlace place, Duration limit);

  /// Sends all of `text`, which must stay until then.
  asio::awaitable<std::string> write(std::string_view text, Duration limit);

  /// Appends what has come, at least one byte, to `input`.
  asio::awaitable<std::string> read(std::string& input, Duration limit);

  /// Sends what the system takes at once, and does not wait: for farewells. Returns whether that was all.
  bool write_now(std::string_view text);

  bool is_open() const { return socket_.is_open(); }
  void close();

 private:
  void arm(Duration limit);
  std::string finish(const asio::error_code& error);

  asio::generic::stream_protocol::socket socket_;
  asio::steady_timer deadline_;
  unsigned operation_ = 0;  ///< Which one the timer is for.
  bool is_late_ = false;
};

}  // namespace mta
