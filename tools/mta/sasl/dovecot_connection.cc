#include "tools/mta/sasl/dovecot_connection.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/connect.hpp>
#include <asio/detached.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <utility>

#include "libconf/text.h"
#include "tools/mta/daemon/unix_address.h"

namespace mta {
namespace {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

auto into(asio::error_code& failure) { return asio::redirect_error(asio::use_awaitable, failure); }

Error temporary(std::string message) {
  return {.kind = ErrorKind::kTemporary, .message = std::move(message)};
}

}  // namespace

/// Who waits for the reply to a request.
class DovecotConnection::Waiter {
 public:
  Waiter(DovecotConnection& connection, std::uint32_t id, const asio::any_io_executor& executor)
      : connection_(connection), id_(id), timer_(executor) {
    connection_.waiters_.emplace(id, this);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() { connection_.waiters_.erase(id_); }

  asio::awaitable<void> wait(Duration timeout) {
    asio::error_code failure;
    timer_.expires_after(timeout);
    co_await timer_.async_wait(into(failure));
  }
  void finish(std::optional<SaslAnswer> answer) {
    answer_ = std::move(answer);
    timer_.cancel();
  }
  std::optional<SaslAnswer> take_answer() { return std::move(answer_); }

 private:
  DovecotConnection& connection_;
  std::uint32_t id_;
  asio::steady_timer timer_;
  std::optional<SaslAnswer> answer_;
};

asio::awaitable<Result<void>> DovecotConnection::open(DovecotPlace place, Duration timeout) {
  const std::shared_ptr<DovecotConnection> self = shared_from_this();
  asio::steady_timer timer(socket_.get_executor(), timeout);
  timer.async_wait([weak = weak_from_this()](const asio::error_code& failure) {
    // A timer that is cancelled too late finds the connection open, or gone.
    const std::shared_ptr<DovecotConnection> connection = weak.lock();
    if (failure || !connection || connection->is_open_) return;
    connection->is_late_ = true;
    connection->close();
  });
  Result<void> done = co_await connect(std::move(place));
  if (done) done = co_await read_handshake();
  if (!done) {
    close();
    timer.cancel();
    co_return is_late_ ? temporary("Connection timed out") : done;
  }
  is_open_ = true;
  timer.cancel();
  asio::co_spawn(socket_.get_executor(), read_replies(self), asio::detached);
  co_return done;
}

void DovecotConnection::close() {
  is_open_ = false;
  asio::error_code ignored;
  socket_.close(ignored);
  for (const auto& [id, waiter] : waiters_) waiter->finish(std::nullopt);
}

asio::awaitable<Result<void>> DovecotConnection::connect(DovecotPlace place) {
  asio::error_code failure;
  if (const auto* const local = std::get_if<UnixPlace>(&place)) {
    const auto endpoint = unix_address(local->path);
    failure = asio::error::name_too_long;
    if (endpoint) co_await socket_.async_connect(*endpoint, into(failure));
  } else {
    const InetPlace& inet = std::get<InetPlace>(place);
    asio::ip::tcp::resolver resolver(socket_.get_executor());
    const auto found = co_await resolver.async_resolve(inet.host, inet.port, into(failure));
    if (failure) co_return temporary(failure.message());
    failure = asio::error::host_not_found;
    for (const auto& each : found) {
      asio::error_code ignored;
      socket_.close(ignored);
      co_await socket_.async_connect(each.endpoint(), into(failure));
      if (!failure) break;
    }
  }
  if (failure) co_return temporary(failure.message());
  co_return Result<void>();
}

asio::awaitable<Result<void>> DovecotConnection::read_handshake() {
  asio::error_code failure;
  const std::string greeting = dovecot_greeting(::getpid());
  co_await asio::async_write(socket_, asio::buffer(greeting), into(failure));
  if (failure) co_return temporary(failure.message());
  while (true) {
    const Result<std::string> line = co_await read_line();
    if (!line) co_return line.error();
    const Result<bool> is_done = handshake_.read(*line);
    if (!is_done) co_return is_done.error();
    if (*is_done) co_return Result<void>();
  }
}

asio::awaitable<Result<std::string>> DovecotConnection::read_line() {
  std::array<char, 4096> buffer{};
  std::size_t searched = 0;
  while (true) {
    const std::size_t newline = input_.find('\n', searched);
    if (std::min(newline, input_.size()) > kDovecotLineLimit) co_return temporary("a line is too long");
    if (newline != std::string::npos) {
      std::string line = input_.substr(0, newline);
      input_.erase(0, newline + 1);
      co_return line;
    }
    searched = input_.size();
    asio::error_code failure;
    const std::size_t size = co_await socket_.async_read_some(asio::buffer(buffer), into(failure));
    if (failure) co_return temporary(failure.message());
    input_.append(buffer.data(), size);
  }
}

asio::awaitable<void> DovecotConnection::read_replies(std::shared_ptr<DovecotConnection> self) {
  while (self->is_open_) {
    const Result<std::string> line = co_await self->read_line();
    if (!line) break;
    std::optional<DovecotReply> reply = parse_dovecot_reply(*line);
    if (!reply) continue;
    self->last_reply_ = Clock::now();
    const auto waiter = self->waiters_.find(reply->id);
    if (waiter != self->waiters_.end()) waiter->second->finish(std::move(reply->answer));
  }
  self->close();
}

asio::awaitable<std::optional<SaslAnswer>> DovecotConnection::ask(std::uint32_t id, std::string request,
                                                                  Duration timeout) {
  const std::shared_ptr<DovecotConnection> self = shared_from_this();
  if (!is_open_) co_return std::nullopt;
  const Clock::time_point sent = Clock::now();
  Waiter waiter(*this, id, co_await asio::this_coro::executor);
  send(request);
  co_await waiter.wait(timeout);
  std::optional<SaslAnswer> answer = waiter.take_answer();
  if (!answer && is_open_) {
    if (last_reply_ < sent) {
      is_silent_ = true;
      close();
    } else {
      send(dovecot_cancel_request(id));
    }
  }
  co_return answer;
}

void DovecotConnection::send(std::string_view request) {
  if (!is_open_) return;
  output_ += request;
  if (std::exchange(is_writing_, true)) return;
  asio::co_spawn(socket_.get_executor(), write(shared_from_this()), asio::detached);
}

asio::awaitable<void> DovecotConnection::write(std::shared_ptr<DovecotConnection> self) {
  while (self->is_open_ && !self->output_.empty()) {
    const std::string text = std::exchange(self->output_, {});
    asio::error_code failure;
    co_await asio::async_write(self->socket_, asio::buffer(text), into(failure));
    if (failure) self->close();
  }
  self->is_writing_ = false;
}

}  // namespace mta
