#include "tools/mta/daemon/local_acceptors.h"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <utility>

namespace mta {
namespace {

/// Before the next try, when a client could not be taken.
constexpr std::chrono::milliseconds kPause{100};

}  // namespace

void LocalAcceptors::add(libconf::FileDescriptor socket) {
  acceptors_.emplace_back(io_, asio::local::stream_protocol(), socket.release());
  asio::co_spawn(io_, accept(acceptors_.back()), asio::detached);
}

void LocalAcceptors::close() {
  asio::error_code ignored;
  for (Acceptor& acceptor : acceptors_) acceptor.close(ignored);
}

asio::awaitable<void> LocalAcceptors::accept(Acceptor& acceptor) {
  asio::error_code failure;
  while (acceptor.is_open()) {
    Socket client = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failure));
    if (failure == asio::error::operation_aborted) break;
    if (!failure) {
      take_(std::move(client));
      continue;
    }
    miss_();
    asio::steady_timer pause(io_, kPause);
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failure));
  }
}

}  // namespace mta
