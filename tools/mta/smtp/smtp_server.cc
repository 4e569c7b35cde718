#include "tools/mta/smtp/smtp_server.h"

#include <sys/socket.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>

#include "libconf/text.h"
#include "tools/mta/daemon/event_loop.h"
#include "tools/mta/daemon/local_socket.h"

namespace mta {
namespace {

/// Before the next try, when no client could be taken for want of descriptors or memory.
constexpr std::chrono::milliseconds kPause{100};

/// How long who passes a connection on may take for it.
constexpr std::chrono::seconds kPassTime{5};

int family_of(int socket) {
  int family = AF_INET;
  socklen_t size = sizeof family;
  ::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &size);
  return family;
}

}  // namespace

void SmtpServer::listen(libconf::FileDescriptor socket, Clients clients) {
  const asio::generic::stream_protocol protocol(family_of(socket.get()), 0);
  Listener& listener = listeners_.emplace_back(
      Listener{asio::basic_socket_acceptor<asio::generic::stream_protocol>(io_), clients});
  listener.acceptor.assign(protocol, socket.release());
  accept(listener);
}

void SmtpServer::accept(Listener& listener) {
  if (is_retired_ || listener.is_accepting || !has_room()) return;
  listener.is_accepting = true;
  listener.acceptor.async_accept([this, &listener](const asio::error_code& failure, StreamSocket socket) {
    listener.is_accepting = false;
    if (failure == asio::error::operation_aborted) return;
    if (failure) {
      service_.log(libconf::Severity::kWarning, libconf::concat("accept: ", failure.message()));
      const auto timer = std::make_shared<asio::steady_timer>(io_, kPause);
      timer->async_wait([this, timer](const asio::error_code&) { accept_where_idle(); });
      return;
    }
    was_used_ = true;
    asio::co_spawn(
        io_,
        listener.clients == Clients::kConnect ? serve(std::move(socket)) : serve_passed(std::move(socket)),
        asio::detached);
    accept(listener);
  });
}

void SmtpServer::accept_where_idle() {
  for (Listener& listener : listeners_) accept(listener);
}

asio::awaitable<void> SmtpServer::serve(StreamSocket socket) {
  const EventLoop::Hold hold;
  {
    SmtpSession session(std::move(socket), service_);
    sessions_.insert(&session);
    if (is_stopping_) session.stop();
    co_await session.run();
    sessions_.erase(&session);
  }
  accept_where_idle();
}

asio::awaitable<void> SmtpServer::serve_passed(StreamSocket socket_of_sender) {
  // Shared with the timer, whose end may be on its way when the wait is over.
  const auto from = std::make_shared<StreamSocket>(std::move(socket_of_sender));
  asio::error_code failure;
  asio::steady_timer timer(io_, kPassTime);
  timer.async_wait([from](const asio::error_code& cancelled) {
    asio::error_code ignored;
    if (!cancelled) from->cancel(ignored);
  });
  co_await from->async_wait(StreamSocket::wait_read, asio::redirect_error(asio::use_awaitable, failure));
  timer.cancel();
  libconf::FileDescriptor passed;
  if (!failure) passed = receive_descriptor(from->native_handle());
  if (!passed) {
    service_.log(libconf::Severity::kWarning, "no connection came from who passes connections on");
    co_return;
  }
  const asio::generic::stream_protocol protocol(family_of(passed.get()), 0);
  StreamSocket socket(io_);
  socket.assign(protocol, passed.release());
  co_await serve(std::move(socket));
}

void SmtpServer::retire() {
  is_retired_ = true;
  // Not removed: the handlers that come with the end of accepting refer to them.
  asio::error_code ignored;
  for (Listener& listener : listeners_) listener.acceptor.close(ignored);
}

void SmtpServer::stop() {
  retire();
  is_stopping_ = true;
  for (SmtpSession* const session : sessions_) session->stop();
}

}  // namespace mta
