/// A connection to a Dovecot auth server, with any number of requests under way.
///
///     auto connection = std::make_shared<DovecotConnection>(executor);
///     Result<void> opened = co_await connection->open(place, timeout);
///     std::optional<SaslAnswer> answer = co_await connection->ask(id, request, timeout);
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "libconf/result.h"
#include "libconf/service_root.h"
#include "tools/mta/sasl/dovecot_protocol.h"

namespace mta {

/// Where an auth server listens.
struct UnixPlace {
  libconf::RootedPath path;
};
struct InetPlace {
  std::string host;
  std::string port;
};
using DovecotPlace = std::variant<UnixPlace, InetPlace>;

/// Used on one executor; owned by shared_ptr, because its own coroutines may outlive those who ask. A
/// connection that was lost stays so.
class DovecotConnection : public std::enable_shared_from_this<DovecotConnection> {
 public:
  using Duration = std::chrono::milliseconds;

  explicit DovecotConnection(const asio::any_io_executor& executor) : socket_(executor) {}

  /// Connects, and reads the handshake. Errors: kTemporary; the message says what went wrong, not where.
  asio::awaitable<libconf::Result<void>> open(DovecotPlace place, Duration timeout);

  /// Gives up all requests.
  void close();

  bool is_open() const { return is_open_; }
  /// It was lost because the server said nothing.
  bool is_silent() const { return is_silent_; }
  const std::vector<DovecotMechanism>& mechanisms() const { return handshake_.mechanisms(); }

  /// For a request.
  std::uint32_t new_id() { return ++last_id_; }

  /// Sends a request, and waits for its reply. Nothing: the connection is lost, or was already, or no reply
  /// came in time. A server that says nothing at all for so long loses the connection.
  asio::awaitable<std::optional<SaslAnswer>> ask(std::uint32_t id, std::string request, Duration timeout);

  /// Sends what has no reply.
  void send(std::string_view request);

 private:
  using Clock = std::chrono::steady_clock;
  class Waiter;

  asio::awaitable<libconf::Result<void>> connect(DovecotPlace place);
  asio::awaitable<libconf::Result<void>> read_handshake();
  /// A line without its newline, and a reason why there is none.
  asio::awaitable<libconf::Result<std::string>> read_line();
  static asio::awaitable<void> read_replies(std::shared_ptr<DovecotConnection> self);
  static asio::awaitable<void> write(std::shared_ptr<DovecotConnection> self);

  asio::generic::stream_protocol::socket socket_;
  DovecotHandshake handshake_;
  std::string input_;
  std::string output_;
  std::map<std::uint32_t, Waiter*> waiters_;
  Clock::time_point last_reply_{};
  std::uint32_t last_id_ = 0;
  bool is_open_ = false;
  bool is_late_ = false;
  bool is_silent_ = false;
  bool is_writing_ = false;
};

}  // namespace mta
