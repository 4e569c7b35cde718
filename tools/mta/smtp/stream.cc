#include "tools/mta/smtp/stream.h"

#include <algorithm>
#include <asio/buffer.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

namespace mta {
namespace {

/// A completion that gives the error to `failure`, and does not throw it.
auto into(asio::error_code& failure) { return asio::redirect_error(asio::use_awaitable, failure); }

/// What one read takes at most: a session that waits costs no more.
constexpr std::size_t kInputSize = 8192;

/// How long a peer may take to say that it saw the end of TLS.
constexpr std::chrono::seconds kCloseLimit{1};

}  // namespace

/// One timer stays set from one operation to the next, and looks when it goes off: nearly all operations end
/// long before their time, and to set it for each would cost more than most of them do.
struct Stream::Alarm {
  std::optional<std::chrono::steady_clock::time_point> end;       ///< Of the operation that runs.
  std::optional<std::chrono::steady_clock::time_point> goes_off;  ///< The timer is set.
  bool is_over = false;  ///< The operation was ended, because its time is over.
};

/// Cancels what the socket does at the end of its time.
class Stream::Watch {
 public:
  explicit Watch(Stream& stream) : alarm_(*stream.alarm_) {
    auto end = std::chrono::steady_clock::now() + stream.limit_;
    if (stream.deadline_) end = std::min(end, *stream.deadline_);
    alarm_.end = end;
    alarm_.is_over = false;
    if (!alarm_.goes_off || end < *alarm_.goes_off) set(stream, end);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { alarm_.end.reset(); }

  StreamEnd reason() const { return alarm_.is_over ? StreamEnd::kTimeout : StreamEnd::kLost; }

 private:
  static void set(Stream& stream, std::chrono::steady_clock::time_point time) {
    stream.alarm_->goes_off = time;
    stream.timer_.expires_at(time);
    // A handler that was queued already can come after the stream is gone.
    stream.timer_.async_wait(
        [&stream, alarm = std::weak_ptr(stream.alarm_), time](const asio::error_code& failure) {
          const std::shared_ptr<Alarm> here = alarm.lock();
          // A failure: it was set to another time.
          if (failure || !here || here->goes_off != time) return;
          here->goes_off.reset();
          if (!here->end) return;
          if (*here->end > std::chrono::steady_clock::now()) return set(stream, *here->end);
          here->is_over = true;
          asio::error_code ignored;
          stream.socket_.cancel(ignored);
        });
  }

  Alarm& alarm_;
};

Stream::Stream(StreamSocket socket)
    : socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      alarm_(std::make_shared<Alarm>()),
      input_(kInputSize) {
  asio::error_code ignored;
  socket_.non_blocking(true, ignored);
}

asio::awaitable<StreamResult<std::string_view>> Stream::read(std::size_t limit) {
  if (is_interrupted_) co_return tl::make_unexpected(StreamEnd::kStopped);
  Watch watch(*this);
  is_reading_ = true;
  const auto buffer = asio::buffer(input_, limit);
  asio::error_code failure;
  std::size_t size = 0;
  if (tls_) {
    size = co_await tls_->async_read_some(buffer, into(failure));
  } else {
    size = co_await socket_.async_read_some(buffer, into(failure));
  }
  is_reading_ = false;
  if (!failure) co_return std::string_view(input_.data(), size);
  if (is_interrupted_ && watch.reason() != StreamEnd::kTimeout)
    co_return tl::make_unexpected(StreamEnd::kStopped);
  co_return tl::make_unexpected(watch.reason());
}

asio::awaitable<StreamResult<void>> Stream::write(std::string_view text) {
  if (!tls_) {
    // There is nearly always room for a reply; what goes wrong, the rest of it meets again.
    asio::error_code failure;
    text.remove_prefix(socket_.write_some(asio::buffer(text), failure));
    if (text.empty()) co_return StreamResult<void>();
  }
  Watch watch(*this);
  const auto buffer = asio::buffer(text);
  asio::error_code failure;
  if (tls_) {
    co_await asio::async_write(*tls_, buffer, into(failure));
  } else {
    co_await asio::async_write(socket_, buffer, into(failure));
  }
  if (failure) co_return tl::make_unexpected(watch.reason());
  co_return StreamResult<void>();
}

asio::awaitable<StreamResult<void>> Stream::start_tls(asio::ssl::context& context,
                                                      const std::function<void(SSL*)>& prepare) {
  co_return co_await shake_hands(asio::ssl::stream_base::server, context, prepare);
}

asio::awaitable<StreamResult<void>> Stream::connect_tls(asio::ssl::context& context,
                                                        const std::function<void(SSL*)>& prepare) {
  co_return co_await shake_hands(asio::ssl::stream_base::client, context, prepare);
}

asio::awaitable<StreamResult<void>> Stream::shake_hands(asio::ssl::stream_base::handshake_type side,
                                                        asio::ssl::context& context,
                                                        const std::function<void(SSL*)>& prepare) {
  Watch watch(*this);
  tls_.emplace(socket_, context);
  prepare(tls_->native_handle());
  asio::error_code failure;
  co_await tls_->async_handshake(side, into(failure));
  if (failure) {
    tls_.reset();
    co_return tl::make_unexpected(watch.reason());
  }
  co_return StreamResult<void>();
}

void Stream::interrupt() {
  is_interrupted_ = true;
  if (!is_reading_) return;
  asio::error_code ignored;
  socket_.cancel(ignored);
}

asio::awaitable<void> Stream::close() {
  asio::error_code ignored;
  if (tls_) {
    limit_ = kCloseLimit;
    deadline_.reset();
    Watch watch(*this);
    co_await tls_->async_shutdown(into(ignored));
  }
  socket_.shutdown(StreamSocket::shutdown_both, ignored);
  socket_.close(ignored);
}

}  // namespace mta
