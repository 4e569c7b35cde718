/// Takes clients at the sockets of a service, as many at a time as its process limit says.
///
///     SmtpServer server(io, *service, {.limit = 100});
///     server.listen(std::move(socket), SmtpServer::Clients::kConnect);
///     ...
///     server.stop();   // no more clients; run() of the io_context ends with the last session
#pragma once

#include <asio/awaitable.hpp>
#include <asio/basic_socket_acceptor.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/io_context.hpp>
#include <list>
#include <memory>
#include <set>

#include "libconf/handle.h"
#include "tools/mta/smtp/smtp_service.h"
#include "tools/mta/smtp/smtp_session.h"

namespace mta {

/// Not thread-safe. It must live until the io_context has run to its end.
class SmtpServer {
 public:
  /// `limit`: sessions at a time; 0: any number. Where it is reached, clients wait to be taken.
  SmtpServer(asio::io_context& io, SmtpService& service, std::size_t limit)
      : io_(io), service_(service), limit_(limit) {}

  /// How clients come to a socket.
  enum class Clients {
    kConnect,
    kArePassed,  ///< Who connects has the connection of a client, and passes it on (master(5), `pass`).
  };

  /// Serves at a socket that listens.
  void listen(libconf::FileDescriptor socket, Clients clients);

  /// Whether a client has come so far.
  bool was_used() const { return was_used_; }

  /// Takes no more clients.
  void retire();

  /// Takes no more clients, and ends sessions as SmtpSession::stop() does.
  void stop();

 private:
  struct Listener {
    asio::basic_socket_acceptor<asio::generic::stream_protocol> acceptor;
    Clients clients;
    bool is_accepting = false;
  };

  bool has_room() const { return limit_ == 0 || sessions_.size() < limit_; }
  void accept(Listener& listener);
  void accept_where_idle();
  asio::awaitable<void> serve(StreamSocket socket);
  asio::awaitable<void> serve_passed(StreamSocket socket_of_sender);

  asio::io_context& io_;
  SmtpService& service_;
  std::size_t limit_;
  std::list<Listener> listeners_;
  std::set<SmtpSession*> sessions_;
  bool is_retired_ = false;
  bool is_stopping_ = false;
  bool was_used_ = false;
};

}  // namespace mta
