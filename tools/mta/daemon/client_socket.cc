#include "tools/mta/daemon/client_socket.h"

#include <array>
#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include "tools/mta/daemon/unix_address.h"

namespace mta {
namespace {

/// What one read takes at most, in bytes.
constexpr std::size_t kInputSize = 16384;

auto into(asio::error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

}  // namespace

void ClientSocket::arm(Duration limit) {
  is_late_ = false;
  const unsigned operation = ++operation_;
  deadline_.expires_after(limit);
  deadline_.async_wait([weak = weak_from_this(), operation](const asio::error_code& error) {
    const auto self = weak.lock();
    // It may have been queued already when its operation ended.
    if (error || !self || self->operation_ != operation) return;
    self->is_late_ = true;
    self->close();
  });
}

std::string ClientSocket::finish(const asio::error_code& error) {
  ++operation_;
  deadline_.cancel();
  if (is_late_) return "Connection timed out";
  if (error == asio::error::eof) return "Application error";
  return error ? error.message() : "";
}

asio::awaitable<std::string> ClientSocket::connect(ServerPlace place, Duration limit) {
  const auto self = shared_from_this();
  asio::error_code error;
  arm(limit);
  if (!place.path.empty()) {
    const auto endpoint = unix_address(place.path);
    error = asio::error::name_too_long;
    if (endpoint) co_await socket_.async_connect(*endpoint, into(error));
  } else {
    asio::ip::tcp::resolver resolver(socket_.get_executor());
    const std::string host = place.host.empty() ? "localhost" : place.host;
    const auto found = co_await resolver.async_resolve(host, place.port, into(error));
    for (const auto& entry : found) {
      close();
      const auto endpoint = entry.endpoint();
      co_await socket_.async_connect(endpoint, into(error));
      if (!error || is_late_) break;
    }
  }
  if (!error && place.path.empty()) {
    asio::error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  }
  co_return finish(error);
}

asio::awaitable<std::string> ClientSocket::write(std::string_view text, Duration limit) {
  const auto self = shared_from_this();
  asio::error_code error;
  arm(limit);
  const auto buffer = asio::buffer(text);
  co_await asio::async_write(socket_, buffer, into(error));
  co_return finish(error);
}

asio::awaitable<std::string> ClientSocket::read(std::string& input, Duration limit) {
  const auto self = shared_from_this();
  asio::error_code error;
  arm(limit);
  std::array<char, kInputSize> bytes;
  const auto buffer = asio::buffer(bytes);
  const std::size_t count = co_await socket_.async_read_some(buffer, into(error));
  input.append(bytes.data(), count);
  co_return finish(error);
}

bool ClientSocket::write_now(std::string_view text) {
  if (text.empty()) return true;
  asio::error_code error;
  socket_.non_blocking(true, error);
  const std::size_t count = socket_.send(asio::buffer(text), 0, error);
  return !error && count == text.size();
}

void ClientSocket::close() {
  asio::error_code ignored;
  socket_.close(ignored);
}

}  // namespace mta
