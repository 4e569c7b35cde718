/// A connection to an SMTP client or server, with TLS once it was started, whose waits have an end.
///
///     Stream stream(std::move(socket));
///     stream.set_time_limit(300s);
///     StreamResult<std::string_view> input = co_await stream.read();
///     if (!input) co_return log_end(input.error());
#pragma once

#include <asio/awaitable.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/ssl/context.hpp>
#include <asio/ssl/stream.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace mta {

/// By TCP, or a UNIX-domain socket. A socket of either converts to it.
using StreamSocket = asio::generic::stream_protocol::socket;

/// Why a connection is of no more use.
enum class StreamEnd {
  kLost,     ///< The peer closed it, or the network did.
  kTimeout,  ///< The peer did not do its part in time.
  kStopped,  ///< interrupt() was called.
};

template <class T>
using StreamResult = tl::expected<T, StreamEnd>;

/// Not thread-safe: it is used on one executor, by one coroutine at a time.
class Stream {
 public:
  explicit Stream(StreamSocket socket);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// How long each read or write may take from now on.
  void set_time_limit(std::chrono::seconds limit) { limit_ = limit; }

  /// As long as it is set, all reads and writes together end then at the latest
  /// (smtpd_per_request_deadline).
  void set_deadline(std::optional<std::chrono::steady_clock::time_point> deadline) { deadline_ = deadline; }

  /// What has come, from one byte to `limit` or what the object takes at a time; valid until the next read.
  asio::awaitable<StreamResult<std::string_view>> read(std::size_t limit = SIZE_MAX);

  /// Sends all of `text`.
  asio::awaitable<StreamResult<void>> write(std::string_view text);

  /// Makes the server's side of a TLS handshake, after `prepare` has seen its session. What came before it
  /// and was not read yet must not be there: it would be taken for protected. After a failure the connection
  /// is without TLS, and of no more use.
  asio::awaitable<StreamResult<void>> start_tls(asio::ssl::context& context,
                                                const std::function<void(SSL*)>& prepare);

  /// The same for the client's side.
  asio::awaitable<StreamResult<void>> connect_tls(asio::ssl::context& context,
                                                  const std::function<void(SSL*)>& prepare);

  /// The session after start_tls() or connect_tls(); null without.
  SSL* tls() { return tls_ ? tls_->native_handle() : nullptr; }

  /// Ends a read() that waits, or the next one, with kStopped. Writes go on.
  void interrupt();

  /// Tells the peer that no more comes; errors do not matter any more.
  asio::awaitable<void> close();

  StreamSocket& socket() { return socket_; }

 private:
  asio::awaitable<StreamResult<void>> shake_hands(asio::ssl::stream_base::handshake_type side,
                                                  asio::ssl::context& context,
                                                  const std::function<void(SSL*)>& prepare);

  /// Ends the operation that runs when its time is over.
  class Watch;
  struct Alarm;

  StreamSocket socket_;
  std::optional<asio::ssl::stream<StreamSocket&>> tls_;
  asio::steady_timer timer_;
  std::shared_ptr<Alarm> alarm_;
  std::chrono::seconds limit_{0};
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  std::vector<char> input_;
  bool is_reading_ = false;
  bool is_interrupted_ = false;
};

}  // namespace mta
