/// Hears what trigger() says to a service, at UNIX-domain sockets and named pipes.
///
///     TriggerListener listener(io, [&](std::string_view requests) { queue_manager.ask(requests); });
///     Result<void> listening = listener.listen(Transport::kUnix, std::move(socket));
#pragma once

#include <array>
#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <functional>
#include <list>
#include <string_view>

#include "libconf/handle.h"
#include "libconf/result.h"
#include "tools/mta/daemon/endpoint.h"
#include "tools/mta/daemon/local_acceptors.h"

namespace mta {

/// Not thread-safe. It must live until the event loop has run to its end.
class TriggerListener {
 public:
  /// `told` gets what has come from somebody, any bytes; nothing of a client that could not be taken: there
  /// is work all the same. A client may stay, and say more.
  TriggerListener(asio::io_context& io, std::function<void(std::string_view)> told)
      : io_(io), told_(std::move(told)) {}

  /// Error: kUnsupported, for another transport.
  libconf::Result<void> listen(Transport transport, libconf::FileDescriptor socket);

  /// Whether somebody has said something so far.
  bool was_used() const { return was_used_; }

  /// Hears no more.
  void stop();

 private:
  using Client = LocalAcceptors::Socket;
  using Pipe = asio::posix::stream_descriptor;

  void take(Client client);
  void hear(std::string_view requests);
  asio::awaitable<void> listen_to(std::list<Client>::iterator client);
  asio::awaitable<void> read(Pipe& pipe);

  asio::io_context& io_;
  std::function<void(std::string_view)> told_;
  LocalAcceptors acceptors_{io_, [this](Client client) { take(std::move(client)); }, [this] { hear({}); }};
  std::list<Pipe> pipes_;
  std::list<Client> clients_;
  bool was_used_ = false;
};

}  // namespace mta
