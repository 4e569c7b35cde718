#include "tools/mta/daemon/trigger_listener.h"

#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <iterator>
#include <utility>

namespace mta {
namespace {

using libconf::Error;
using libconf::ErrorKind;
using libconf::FileDescriptor;
using libconf::Result;

using Words = std::array<char, 256>;

}  // namespace

Result<void> TriggerListener::listen(Transport transport, FileDescriptor socket) {
  if (transport == Transport::kUnix) {
    acceptors_.add(std::move(socket));
  } else if (transport == Transport::kFifo) {
    pipes_.emplace_back(io_, socket.release());
    asio::co_spawn(io_, read(pipes_.back()), asio::detached);
  } else {
    return Error{.kind = ErrorKind::kUnsupported, .message = "it is told by unix sockets and fifos only"};
  }
  return {};
}

void TriggerListener::stop() {
  asio::error_code ignored;
  acceptors_.close();
  for (Pipe& pipe : pipes_) pipe.close(ignored);
  for (Client& client : clients_) client.close(ignored);
}

void TriggerListener::hear(std::string_view requests) {
  was_used_ = true;
  told_(requests);
}

void TriggerListener::take(Client client) {
  clients_.push_back(std::move(client));
  asio::co_spawn(io_, listen_to(std::prev(clients_.end())), asio::detached);
}

/// Reads up to the end, as a client that is not listened to any more would get a signal for it.
asio::awaitable<void> TriggerListener::listen_to(std::list<Client>::iterator client) {
  Words words{};
  asio::error_code failure;
  const auto buffer = asio::buffer(words);
  while (!failure) {
    const std::size_t size =
        co_await client->async_read_some(buffer, asio::redirect_error(asio::use_awaitable, failure));
    if (!failure) hear({words.data(), size});
  }
  clients_.erase(client);
}

asio::awaitable<void> TriggerListener::read(Pipe& pipe) {
  Words words{};
  asio::error_code failure;
  const auto buffer = asio::buffer(words);
  while (!failure) {
    const std::size_t size =
        co_await pipe.async_read_some(buffer, asio::redirect_error(asio::use_awaitable, failure));
    if (!failure) hear({words.data(), size});
  }
}

}  // namespace mta
