/// Takes the clients of UNIX-domain sockets, for the services of the server process.
///
///     LocalAcceptors acceptors(io, [this](LocalAcceptors::Socket client) { serve(std::move(client)); });
///     acceptors.add(std::move(socket));
///     ...
///     acceptors.close();
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <functional>
#include <list>

#include "libconf/handle.h"

namespace mta {

/// Not thread-safe. It must live until the event loop has run to its end.
class LocalAcceptors {
 public:
  using Socket = asio::local::stream_protocol::socket;

  /// `take` gets each client. `miss` is told of one that could not be taken, for want of descriptors or
  /// memory; the next try comes after a pause.
  LocalAcceptors(
      asio::io_context& io, std::function<void(Socket)> take, std::function<void()> miss = [] {})
      : io_(io), take_(std::move(take)), miss_(std::move(miss)) {}

  /// Takes clients of this socket, which listens, from now on.
  void add(libconf::FileDescriptor socket);

  /// Takes no more.
  void close();

 private:
  using Acceptor = asio::local::stream_protocol::acceptor;
  asio::awaitable<void> accept(Acceptor& acceptor);

  asio::io_context& io_;
  std::function<void(Socket)> take_;
  std::function<void()> miss_;
  std::list<Acceptor> acceptors_;  ///< Not removed: what comes with the end of accepting refers to them.
};

}  // namespace mta
